-- What is let go after a time: people's notifications, and audit logs, which are archived before.
create table billing.notifications (
    tenant uuid not null references billing.tenants (tenant),
    notification_id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    title text not null,
    body text not null default '',
    created_at timestamptz not null default now(),
    read_at timestamptz,
    primary key (tenant, notification_id)
);
create index notifications_by_time on billing.notifications (tenant, created_at);

create table billing.audit_log_archive (
    like billing.audit_logs including defaults including comments,
    archived_at timestamptz not null default now(),
    primary key (tenant, audit_id)
);
create index audit_log_archive_by_time on billing.audit_log_archive (tenant, occurred_at);

select billing.keep_tenants_apart('billing.notifications', 'billing.audit_log_archive');
revoke insert, update, delete on billing.audit_log_archive from jobcore_tenant;
