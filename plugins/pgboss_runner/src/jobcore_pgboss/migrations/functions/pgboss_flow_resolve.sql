-- Tell the children of up to `lim` completed parents: a child whose last parent completed may run from now on. Returns
-- how many parents were seen to. Parents are locked before children, both by (name, id), as Node locks them.
create or replace function jobcore.pgboss_flow_resolve(lim integer) returns integer
language plpgsql
as $$
declare
    parents jsonb;
    woken integer;
begin
    select jsonb_agg(jsonb_build_object('name', l.name, 'id', l.id))
    into parents
    from (
        select j.name, j.id
        from pgboss.job j
        where j.blocking and j.state = 'completed'
        order by j.name, j.id
        limit $1
        for update skip locked
    ) l;
    if parents is null then
        return 0;
    end if;

    with told as materialized (
        select d.child_name, d.child_id, count(*)::integer as n
        from jsonb_to_recordset(parents) as p (name text, id uuid)
        join pgboss.job_dependency d on d.parent_name = p.name and d.parent_id = p.id
        group by d.child_name, d.child_id
    ),
    children as materialized (
        select j.name, j.id, greatest(j.pending_dependencies - t.n, 0) as pending
        from told t
        join pgboss.job j on j.name = t.child_name and j.id = t.child_id
        where j.blocked
        order by j.name, j.id
        for update of j
    ),
    moved as (
        update pgboss.job j
        set pending_dependencies = c.pending,
            blocked = c.pending > 0,
            start_after = case when c.pending = 0 then greatest(j.start_after, pgboss.job_now()) else j.start_after end
        from children c
        where j.name = c.name and j.id = c.id
        returning j.name, j.blocked
    )
    select count(pg_notify(jobcore.pgboss_channel(), q.name)::text) into woken
    from pgboss.queue q
    where q.notify and q.name in (select m.name from moved m where not m.blocked);

    update pgboss.job j
    set blocking = false
    from jsonb_to_recordset(parents) as p (name text, id uuid)
    where j.name = p.name and j.id = p.id;
    return jsonb_array_length(parents);
end
$$;
