-- Complete jobs: those that run, and with `include_queued` those that wait too, whatever they wait for.
create or replace function jobcore.boss_complete(queue text, asked jsonb) returns jsonb
language plpgsql
as $$
#variable_conflict use_column
declare
    queued constant boolean := coalesce(($2 ->> 'include_queued')::boolean, false);
    changed uuid[];
begin
    with completed as (
        update pgboss.job j
        set state = 'completed',
            completed_on = pgboss.job_now(),
            output = jobcore.pgboss_output(nullif($2 -> 'output', 'null')),
            blocked = j.blocked and not queued,
            pending_dependencies = case when queued then 0 else j.pending_dependencies end
        from jobcore.boss_asked($2) a
        where j.name = $1
            and j.id = a.id
            and (j.state = 'active' or (queued and j.state < 'completed'))
            and (a.attempt is null or (j.state = 'active' and j.retry_count = a.attempt))
        returning j.id
    )
    select coalesce(array_agg(c.id), '{}') into changed from completed c;

    return jobcore.boss_answer($1, changed);
end
$$;
