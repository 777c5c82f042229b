-- Who wants to hear of changes, and what was sent to whom. One row of webhook_events an attempt (B16).
create table billing.webhook_subscriptions (
    tenant uuid not null references billing.tenants (tenant),
    subscription_id uuid not null default gen_random_uuid(),
    url text not null,
    resource text not null,
    is_enabled boolean not null default true,
    consecutive_failures integer not null default 0,
    disabled_at timestamptz,
    disabled_reason text,
    created_at timestamptz not null default now(),
    primary key (tenant, subscription_id)
);
comment on column billing.webhook_subscriptions.resource is 'The kind of thing whose changes are wanted, such as invoice.';
create index webhook_subscriptions_by_resource on billing.webhook_subscriptions (tenant, resource);

create table billing.webhook_events (
    tenant uuid not null,
    event_id uuid not null default gen_random_uuid(),
    subscription_id uuid not null,
    job_id uuid not null,
    attempt integer not null,
    action text not null check (action in ('create', 'update', 'delete')),
    resource_id text not null,
    is_delivered boolean not null,
    status_code integer,
    error text,
    response text,
    duration_ms integer not null,
    sent_at timestamptz not null,
    primary key (tenant, event_id),
    foreign key (tenant, subscription_id)
        references billing.webhook_subscriptions (tenant, subscription_id) on delete cascade
);
comment on column billing.webhook_events.job_id is 'The message''s id, the same for all its attempts.';
create unique index webhook_events_attempts on billing.webhook_events (tenant, job_id, attempt);
create index webhook_events_by_subscription on billing.webhook_events (tenant, subscription_id, sent_at desc);

select billing.keep_tenants_apart('billing.webhook_subscriptions', 'billing.webhook_events');
