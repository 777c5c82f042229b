-- What jobs did on their own account, for whoever has to answer for it. A tenant can add rows and read its own, no more.
create table billing.audit_logs (
    tenant uuid not null references billing.tenants (tenant),
    audit_id uuid not null default gen_random_uuid(),
    occurred_at timestamptz not null default now(),
    user_id uuid not null,
    job_id uuid,
    operation text not null,
    table_name text not null,
    record_id uuid,
    details jsonb not null default '{}',
    primary key (tenant, audit_id)
);
comment on column billing.audit_logs.user_id is 'Who did it; the zero UUID is the system.';
comment on column billing.audit_logs.details is 'Ids, counts and amounts; no names, addresses or secrets.';
create index audit_logs_by_time on billing.audit_logs (tenant, occurred_at);

select billing.keep_tenants_apart('billing.audit_logs');
revoke update, delete on billing.audit_logs from jobcore_tenant;
