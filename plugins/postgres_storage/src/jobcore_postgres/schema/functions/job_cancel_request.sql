-- Ask a job that has not ended to stop, and wake whoever runs it. The first request stands. False if it had ended.
create or replace function jobcore.job_cancel_request(tenant uuid, job_id uuid, reason text, cancelled_by text)
returns boolean
language plpgsql
as $$
#variable_conflict use_column
begin
    update public.jobs j
    set cancel_requested = coalesce(
            j.cancel_requested,
            jsonb_build_object('reason', $3, 'cancelled_by', $4, 'at', statement_timestamp())),
        updated_at = statement_timestamp()
    where j.tenant = $1 and j.job_id = $2 and j.status in ('pending', 'queued', 'active', 'processing');
    if not found then
        return false;
    end if;
    perform pg_notify('jobcore_cancel', $2::text);
    return true;
end
$$;
