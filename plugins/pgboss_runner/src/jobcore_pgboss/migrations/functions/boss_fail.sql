-- Fail jobs that have not ended: one with retries left waits for the next, another (with `terminal` each) ends, and is copied
-- into its dead letter queue.
create or replace function jobcore.boss_fail(queue text, asked jsonb) returns jsonb
language plpgsql
as $$
#variable_conflict use_column
declare
    terminal constant boolean := coalesce(($2 ->> 'terminal')::boolean, false);
    reason constant jsonb := jobcore.pgboss_output(nullif($2 -> 'output', 'null'));
    failing pgboss.job;
    changed uuid[] := '{}';
begin
    for failing in
        select j.*
        from pgboss.job j
        join jobcore.boss_asked($2) a on a.id = j.id
        where j.name = $1
            and j.state < 'completed'
            and (a.attempt is null or (j.state = 'active' and j.retry_count = a.attempt))
        order by j.id
        for update of j
    loop
        if terminal or failing.retry_count >= failing.retry_limit or not jobcore.boss_fail_again(failing, reason) then
            update pgboss.job j
            set state = 'failed', completed_on = pgboss.job_now(), heartbeat_on = null, output = reason
            where j.name = $1 and j.id = failing.id;
            perform jobcore.pgboss_bury(failing, reason);
        end if;
        changed := changed || failing.id;
    end loop;
    return jobcore.boss_answer($1, changed);
end
$$;
