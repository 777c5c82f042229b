-- Give their rows in `jobs` to queue rows that Node sent: a JSON array of {name, id}. No quota refuses what is in the queue.
-- Some senders mean "for ever" by the largest integer, to which nothing can be added: a million attempts are as many.
-- A queue row is looked for in an order that only the key has, whatever the planner believes of the table.
create or replace function jobcore.pgboss_adopt(rows jsonb) returns void
language plpgsql
set enable_seqscan = off
set enable_sort = off
as $$
begin
    perform jobcore.job_record(jsonb_agg(jsonb_build_object(
        'id', j.id,
        'tenant', jobcore.pgboss_tenant(j.group_id, j.data),
        'type', j.name,
        'payload', coalesce(j.data, 'null'),
        'queue', j.name,
        'priority', j.priority,
        'run_at', j.start_after,
        'max_attempts', least(j.retry_limit, 999999) + 1,
        'runner_type', 'pgboss',
        'metadata', '{"trigger": "pg-boss"}'::jsonb,
        'status', 'queued')))
    from jsonb_to_recordset($1) as r (name text, id uuid)
    cross join lateral (select * from pgboss.job j where j.name = r.name and j.id between r.id and r.id order by j.id limit 1) j
    having count(*) > 0;
end
$$;
