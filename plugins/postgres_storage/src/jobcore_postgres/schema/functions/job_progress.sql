-- Write the progress of a running job, in percent, and tell whoever watches it. False if the lease is no longer the job's.
-- A null token: no fence.
create or replace function jobcore.job_progress(
    tenant uuid, job_id uuid, token text, percent double precision, message text
) returns boolean
language plpgsql
as $$
#variable_conflict use_column
begin
    update public.jobs j
    set progress = $4, progress_message = coalesce($5, j.progress_message), updated_at = statement_timestamp()
    where j.tenant = $1
        and j.job_id = $2
        and j.status in ('queued', 'active', 'processing')
        and ($3 is null or j.lease_token = $3);
    if found then
        perform pg_notify('jobcore_progress', $2::text);
        return true;
    end if;
    return false;
end
$$;
