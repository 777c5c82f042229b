-- Cancel a job, by its engine, because another one takes its place; `word` says how: superseded or replaced.
create or replace function jobcore.job_displace(tenant uuid, job_id uuid, runner_type text, by_job uuid, word text)
returns void
language plpgsql
as $$
begin
    execute format('select %s($1, $2, $3, null)', (select e.cancel from jobcore.engines e where e.runner_type = $3))
    using $1, $2, format('%s by job %s', $5, $4);
    update public.jobs j
    set cancel_requested = j.cancel_requested || jsonb_build_object($5 || '_by', $4)
    where j.tenant = $1 and j.job_id = $2 and j.cancel_requested is not null;
    if exists (select from jobcore.quotas)
        and exists (select from public.jobs j where j.tenant = $1 and j.job_id = $2 and j.status = 'cancelled')
    then
        perform jobcore.quota_less($1);
    end if;
end
$$;
