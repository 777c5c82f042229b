-- Calendars of outside services, whose changes are pushed to us through a subscription (Microsoft) or a channel (Google).
create table billing.calendar_providers (
    tenant uuid not null references billing.tenants (tenant),
    provider_id uuid not null default gen_random_uuid(),
    provider_type text not null check (provider_type in ('microsoft', 'google')),
    is_active boolean not null default true,
    status text not null default 'configuring' check (status in ('configuring', 'connected', 'disconnected', 'error')),
    error_message text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant, provider_id)
);

create table billing.microsoft_calendar_provider_config (
    tenant uuid not null,
    provider_id uuid not null,
    directory text not null default 'common' check (directory ~ '^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$'),
    resource text not null default 'me/events',
    sealed_refresh_token bytea,
    subscription_id text,
    webhook_expires_at timestamptz,
    client_state text,
    generation integer not null default 0,
    confirmed_generation integer not null default 0,
    primary key (tenant, provider_id),
    foreign key (tenant, provider_id) references billing.calendar_providers (tenant, provider_id) on delete cascade,
    check (confirmed_generation <= generation)
);
comment on column billing.microsoft_calendar_provider_config.directory is 'The Entra directory that gives the tokens.';
comment on column billing.microsoft_calendar_provider_config.client_state is
    'What notifications of the newest generation carry; a receiver takes no others.';
comment on column billing.microsoft_calendar_provider_config.generation is
    'Raised before a subscription is asked for; until it is confirmed, nobody knows whether the service made one.';

create table billing.google_calendar_provider_config (
    tenant uuid not null,
    provider_id uuid not null,
    calendar_id text not null default 'primary',
    sealed_refresh_token bytea,
    channel_id text,
    channel_token text,
    resource_id text,
    webhook_url text,
    webhook_expires_at timestamptz,
    generation integer not null default 0,
    stopped_through integer not null default 0,
    primary key (tenant, provider_id),
    foreign key (tenant, provider_id) references billing.calendar_providers (tenant, provider_id) on delete cascade,
    check (stopped_through <= generation)
);
comment on column billing.google_calendar_provider_config.channel_token is
    'What notifications for this calendar carry; a receiver takes no others.';
comment on column billing.google_calendar_provider_config.generation is
    'Raised before a channel is asked for. A channel''s id follows from the provider and its generation.';
comment on column billing.google_calendar_provider_config.stopped_through is
    'Up to this generation no channel is open any more; those between it and the newest are to be stopped.';

create table billing.calendar_provider_health (
    tenant uuid not null,
    provider_id uuid not null,
    status text not null check (status in ('healthy', 'error')),
    consecutive_failure_count integer not null default 0,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_error text,
    counted_job uuid,
    primary key (tenant, provider_id),
    foreign key (tenant, provider_id) references billing.calendar_providers (tenant, provider_id) on delete cascade
);
comment on column billing.calendar_provider_health.counted_job is
    'The job whose failure was counted last: its next attempt does not count again.';

select billing.keep_tenants_apart(
    'billing.calendar_providers', 'billing.microsoft_calendar_provider_config',
    'billing.google_calendar_provider_config', 'billing.calendar_provider_health'
);
