-- Send the jobs of up to `lim` filed occurrences, whoever filed them, each with its end in one transaction: none is sent
-- twice. One that cannot be sent is tried again as often as the queue allows; `problem` says why.
create or replace function jobcore.pgboss_cron_forward(lim integer)
returns table (queue text, key text, job_id uuid, problem text)
language plpgsql
as $$
#variable_conflict use_column
declare
    filed record;
begin
    for filed in
        select j.name, j.id, j.data, j.retry_count < j.retry_limit as may_retry
        from pgboss.job j
        where j.name = '__pgboss__send-it'
            and j.state < 'active'
            and not j.blocked
            and j.start_after <= pgboss.job_now()
        order by j.data ->> 'slot', j.id
        limit $1
        for update skip locked
    loop
        queue := filed.data ->> 'name';
        key := filed.data ->> 'key';
        job_id := null;
        problem := null;
        begin
            job_id := jobcore.pgboss_send(queue, filed.data -> 'data', filed.data -> 'options');
            update pgboss.schedule s
            set last_job_id = job_id
            where s.name = queue and s.key = key and job_id is not null;
            update pgboss.job j
            set state = 'completed', started_on = pgboss.job_now(), completed_on = pgboss.job_now()
            where j.name = filed.name and j.id = filed.id;
        exception when others then  -- told to the caller, who logs it; one bad schedule must not hold up the rest
            problem := sqlerrm;
            update pgboss.job j
            set state = case when filed.may_retry then 'retry' else 'failed' end::pgboss.job_state,
                started_on = pgboss.job_now(),
                start_after = pgboss.job_now() + interval '5 seconds',
                retry_count = j.retry_count + filed.may_retry::integer,
                completed_on = case when not filed.may_retry then pgboss.job_now() end,
                output = jsonb_build_object('message', problem)
            where j.name = filed.name and j.id = filed.id;
        end;
        return next;
    end loop;
end
$$;
