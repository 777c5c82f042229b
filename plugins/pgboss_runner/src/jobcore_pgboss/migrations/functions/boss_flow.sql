-- Send the jobs of a flow, all or none, and let each child wait for its parents: {"jobs": [{"ref", "name", "data",
-- "options"}], "dependencies": [{"child_name", "child_id", "parent_name", "parent_id"}]}. The answer: the queues that do
-- not exist; if there is one, nothing was sent.
create or replace function jobcore.boss_flow(flow jsonb) returns jsonb
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    missing jsonb;
    one record;
begin
    select jsonb_agg(distinct j.name)
    into missing
    from jsonb_to_recordset($1 -> 'jobs') as j (name text)
    where not exists (select from pgboss.queue q where q.name = j.name);
    if missing is not null then
        return missing;
    end if;

    for one in select * from jsonb_to_recordset($1 -> 'jobs') as j (ref text, name text, data jsonb, options jsonb) loop
        if jobcore.pgboss_send(one.name, one.data, one.options) is null then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('queue %L does not let in job %L, so that none was sent', one.name, one.ref),
                detail = 'Its id stands there already, or the throttle or the queue''s policy has no room for it.';
        end if;
    end loop;

    insert into pgboss.job_dependency (child_name, child_id, parent_name, parent_id)
    select d.child_name, d.child_id, d.parent_name, d.parent_id
    from jsonb_to_recordset($1 -> 'dependencies')
        as d (child_name text, child_id uuid, parent_name text, parent_id uuid)
    on conflict do nothing;

    update pgboss.job j
    set blocked = e.parents > 0, pending_dependencies = e.parents, blocking = e.children > 0
    from (
        select s.name, s.id, sum(s.parents) as parents, sum(s.children) as children
        from jsonb_to_recordset($1 -> 'dependencies')
            as d (child_name text, child_id uuid, parent_name text, parent_id uuid)
        cross join lateral (
            values (d.child_name, d.child_id, 1, 0), (d.parent_name, d.parent_id, 0, 1)
        ) as s (name, id, parents, children)
        group by s.name, s.id
    ) e
    where j.name = e.name and j.id = e.id;
    return '[]';
end
$$;
