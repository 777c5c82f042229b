-- The three runner columns of the founding documents, under their migration's own name (S04). Where their own migration
-- has already run, the columns stay what they are, and stay behind on the way down.
insert into jobcore.found
select 'column jobs.' || attname, format_type(atttypid, null)
from pg_attribute
where attrelid = 'public.jobs'::regclass and not attisdropped
    and attname in ('runner_type', 'external_id', 'external_run_id');

alter table public.jobs
    add column if not exists runner_type varchar not null default 'pgboss',
    add column if not exists external_id varchar,
    add column if not exists external_run_id varchar;

create index if not exists idx_jobs_external_id on public.jobs (external_id) where external_id is not null;
