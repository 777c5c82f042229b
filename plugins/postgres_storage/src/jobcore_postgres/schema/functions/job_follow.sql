-- The state that an attempt's outcome leads to. A requested cancellation overtakes another run; a job whose worker died
-- runs again, for at most five rescues beyond its attempts. What has an admission (`gated`) and is put off needs it anew.
-- PostgreSQL inlines it: no cast of a text, which is not immutable, and nothing that costs.
create or replace function jobcore.job_follow(
    outcome text, cancel_requested jsonb, attempts_left boolean, rescues integer, gated boolean
) returns public.job_status
language sql immutable parallel safe
as $$
    select case
        when outcome = 'completed' then 'completed'::public.job_status
        when outcome = 'failed' then 'failed'::public.job_status
        when outcome = 'cancelled' then 'cancelled'::public.job_status
        when cancel_requested is not null then 'cancelled'::public.job_status
        when outcome = 'lost' and not attempts_left and rescues >= 5 then 'failed'::public.job_status
        when gated and outcome in ('retry', 'snoozed') then 'pending'::public.job_status
        when outcome in ('retry', 'snoozed', 'released', 'lost') then 'queued'::public.job_status
    end
$$;
