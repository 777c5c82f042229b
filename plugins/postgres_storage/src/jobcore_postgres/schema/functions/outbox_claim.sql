-- Claim a job for a run that its engine, which calls it `name`, has begun: `number` counts the tries of `run_id` from 1, and a
-- later one takes the job from an earlier one, whose worker is gone or cut off; so does another `run_id` of this epoch, which
-- the engine begins where somebody resets a run there. The verdict:
-- claimed: it runs now, and the lease is {attempt, token}; the same run may say so again.
-- moved: it is another engine's, of another epoch, or waits for its admission again; ended: its row says how, and `follow`.
-- unknown: there is no such job.
create or replace function jobcore.outbox_claim(
    tenant uuid, job_id uuid, epoch integer, name text, run_id text, number integer, worker uuid
) returns table (
    verdict text, attempt integer, token text, max_attempts integer, type text, queue text, payload bytea, priority integer,
    created_at timestamptz, cancel_requested jsonb, follow text, result text, error jsonb, took_over boolean
)
language plpgsql
as $$
#variable_conflict use_column
declare
    job public.jobs;
    its_token constant text := format('%s#%s', $5, $6);
    held_by integer;
    took_over boolean := false;
begin
    select b.* into job from public.jobs b where b.tenant = $1 and b.job_id = $2 for no key update;
    held_by := case when starts_with(job.lease_token, $5 || '#') then split_part(job.lease_token, '#', 2)::integer end;

    if job.status in ('active', 'processing') and job.epoch = $3 and (held_by is null or held_by < $6) then
        perform jobcore.outbox_settle(jsonb_build_array(jsonb_build_object(
            'tenant', $1, 'job_id', $2, 'attempt', job.attempt, 'epoch', $3, 'outcome', 'lost', 'worker', job.worker_id,
            'error', jsonb_build_object(
                'type', 'LeaseLostError', 'message', format('lease lost by worker %s', job.worker_id)))));
        select b.* into job from public.jobs b where b.tenant = $1 and b.job_id = $2;
        took_over := true;
    end if;

    if job.job_id is null then
        return query select 'unknown', null::integer, null::text, null::integer, null::text, null::text, null::bytea,
            null::integer, null::timestamptz, null::jsonb, null::text, null::text, null::jsonb, false;
        return;
    end if;
    if job.epoch = $3 and job.status = 'queued' then
        if exists (select from jobcore.pauses) and jobcore.admission_is_paused($1, job.type, job.queue) then
            perform jobcore.outbox_hold($1, $2);
            job.status := 'pending';
        elsif job.cancel_requested is not null then
            perform jobcore.outbox_cancel(
                $1, $2, job.cancel_requested ->> 'reason', job.cancel_requested ->> 'cancelled_by');
            select b.* into job from public.jobs b where b.tenant = $1 and b.job_id = $2;
        else
            perform jobcore.job_claim(jsonb_build_array(jsonb_build_object(
                'tenant', $1, 'job_id', $2, 'attempt', job.attempt + 1, 'token', its_token, 'epoch', $3,
                'external_id', $4, 'run_id', $5)), $7);
            select b.* into job from public.jobs b where b.tenant = $1 and b.job_id = $2;
        end if;
    end if;

    return query select
        case
            when job.epoch <> $3 or job.status = 'pending' then 'moved'
            when job.status in ('completed', 'failed', 'cancelled') then 'ended'
            when job.lease_token = its_token then 'claimed'
            else 'moved'
        end,
        job.attempt, its_token, job.max_attempts, job.type::text, job.queue, convert_to(job.payload::text, 'UTF8'),
        job.priority, job.created_at, job.cancel_requested, job.status::text, job.result::text, job.error, took_over;
end
$$;
