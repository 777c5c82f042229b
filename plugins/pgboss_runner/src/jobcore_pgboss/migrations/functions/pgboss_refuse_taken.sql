-- Refuse these jobs, as `pgboss_enqueue` takes them, if one has the id of a job that another tenant has in the queue: pg-boss
-- tells the jobs of a queue apart by their ids alone.
create or replace function jobcore.pgboss_refuse_taken(jobs jsonb) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    taken record;
begin
    select j.name, j.id into taken
    from jsonb_to_recordset($1) as i (id uuid, tenant uuid, queue text, type text)
    join pgboss.job j on j.name = coalesce(i.queue, i.type) and j.id = i.id
    where jobcore.pgboss_tenant(j.group_id, j.data) <> i.tenant
    limit 1;
    if found then
        raise exception using
            errcode = 'unique_violation',
            message = format(
                'another tenant has a job with the id %s in queue %L, and pg-boss tells the jobs of a queue apart by their '
                'ids alone: give this one another id', taken.id, taken.name);
    end if;
end
$$;
