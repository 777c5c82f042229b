-- What a tenant may have at most, null for any number. The row without a tenant is for those that have none of their own.
create table jobcore.quotas (
    tenant uuid,
    waiting bigint check (waiting >= 0),
    enqueues_per_second bigint check (enqueues_per_second >= 0),
    schedules bigint check (schedules >= 0),
    set_at timestamptz not null default statement_timestamp()
);
create unique index quotas_by_tenant on jobcore.quotas (tenant) where tenant is not null;
create unique index quotas_default on jobcore.quotas ((true)) where tenant is null;

-- How many jobs of a tenant waited: `waiting`, and those beside that were made after `sampled_at`. The last one counts, and of
-- those the lowest. Not unique, for a row that another transaction may yet take back would have to be waited for.
create table jobcore.quota_samples (
    tenant uuid not null,
    sampled_at timestamptz not null,
    waiting bigint not null,
    took_ms float8 not null
);
create index quota_samples_last on jobcore.quota_samples (tenant, sampled_at desc, waiting);

-- A function of each engine's own: how many jobs of the tenants in an array wait in its queue, as (tenant, waiting).
alter table jobcore.engines add column waiting text;

alter table jobcore.quotas enable row level security;
alter table jobcore.quotas force row level security;
create policy quotas_engine on jobcore.quotas to jobcore_worker, jobcore_owner using (true) with check (true);
create policy quotas_tenant on jobcore.quotas for select to jobcore_tenant
    using (tenant = jobcore.current_tenant() or tenant is null);

alter table jobcore.quota_samples enable row level security;
alter table jobcore.quota_samples force row level security;
create policy quota_samples_engine on jobcore.quota_samples to jobcore_worker, jobcore_owner
    using (true) with check (true);

grant select, insert, update, delete on jobcore.quotas, jobcore.quota_samples to jobcore_worker;
grant select on jobcore.quotas to jobcore_tenant;
