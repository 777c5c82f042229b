-- A label cannot be taken out of an enum, so the type is made anew. Cancelled jobs become failed ones, the only founding
-- state that says "ended without success"; their metadata tells.
create type public.job_status_founding as enum ('pending', 'processing', 'completed', 'failed', 'active', 'queued');

update public.jobs
set metadata = coalesce(metadata, '{}') || '{"cancelled": true}'
where status = 'cancelled';

alter table public.jobs
    alter column status drop default,
    alter column status type public.job_status_founding
        using (case status when 'cancelled' then 'failed' else status::text end)::public.job_status_founding;

drop type public.job_status;
alter type public.job_status_founding rename to job_status;
alter table public.jobs alter column status set default 'pending';
