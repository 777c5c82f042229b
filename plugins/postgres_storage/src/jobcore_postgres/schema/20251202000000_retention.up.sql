-- Retention: what each tenant keeps instead of the settings' defaults, how far the walks have come, and who works.
-- `keep_ms` null is "for ever"; no row is "as the settings say".
create table jobcore.retention (
    tenant uuid not null,
    state public.job_status not null check (state in ('completed', 'failed', 'cancelled')),
    keep_ms bigint check (keep_ms > 0),
    updated_at timestamptz not null default now(),
    primary key (tenant, state)
);

-- Jobs made before `seen_to` have been looked at since `swept_at`: the next walk begins there, and not with all that is
-- kept. Once a day one begins at the oldest job, for those that ended late.
create table jobcore.retention_marks (
    tenant uuid not null,
    state public.job_status not null,
    seen_to timestamptz not null,
    swept_at timestamptz not null,
    primary key (tenant, state)
) with (fillfactor = 50);

-- When each duty of the storage was last taken; whoever moves the time on does it.
create table jobcore.duties (
    duty text primary key,
    taken_at timestamptz not null
) with (fillfactor = 50);

alter table jobcore.retention enable row level security;
alter table jobcore.retention force row level security;
create policy retention_engine on jobcore.retention to jobcore_worker, jobcore_owner using (true) with check (true);
create policy retention_tenant on jobcore.retention for select to jobcore_tenant
    using (tenant = jobcore.current_tenant());

alter table jobcore.retention_marks enable row level security;
alter table jobcore.retention_marks force row level security;
create policy retention_marks_engine on jobcore.retention_marks to jobcore_worker, jobcore_owner
    using (true) with check (true);

grant select, insert, update, delete on jobcore.retention, jobcore.retention_marks, jobcore.duties to jobcore_worker;
grant select on jobcore.retention to jobcore_tenant;

-- Rows of `jobs` change twice in their lives and are then deleted by the thousand: vacuum by a fixed number of rows, not by
-- a share of a table that holds the history of months. Measured in docs/decisions/0060.
alter table public.jobs set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 50000,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02);
alter table public.job_details set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 50000,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02);
