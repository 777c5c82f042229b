-- Buckets: minutes that a contract line includes, and how many of them are used.
create table billing.bucket_configurations (
    tenant uuid not null,
    contract_line_id uuid not null,
    total_minutes integer not null check (total_minutes >= 0),
    allow_rollover boolean not null default false,
    overage_rate numeric(18, 6) not null check (overage_rate >= 0),
    primary key (tenant, contract_line_id),
    foreign key (tenant, contract_line_id)
        references billing.contract_lines (tenant, contract_line_id) on delete cascade
);
comment on column billing.bucket_configurations.overage_rate is 'Cents an hour for what goes beyond the bucket.';

create table billing.bucket_usage (
    tenant uuid not null,
    usage_id uuid not null default gen_random_uuid(),
    client_id uuid not null,
    contract_line_id uuid not null,
    service_id uuid not null,
    period_start date not null,
    period_end date not null,
    minutes_used numeric(18, 6) not null default 0 check (minutes_used >= 0),
    overage_minutes numeric(18, 6) not null default 0 check (overage_minutes >= 0),
    rolled_over_minutes numeric(18, 6) not null default 0 check (rolled_over_minutes >= 0),
    updated_at timestamptz not null default now(),
    primary key (tenant, usage_id),
    unique (tenant, contract_line_id, service_id, period_start),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id),
    foreign key (tenant, contract_line_id) references billing.contract_lines (tenant, contract_line_id),
    foreign key (tenant, service_id) references billing.services (tenant, service_id),
    check (period_end >= period_start)
);
comment on column billing.bucket_usage.period_end is 'The last day of the period; other tables name the day after it.';
create index bucket_usage_by_period on billing.bucket_usage (tenant, period_end);

alter table billing.time_entries
    add column contract_line_id uuid,
    add foreign key (tenant, contract_line_id) references billing.contract_lines (tenant, contract_line_id);
comment on column billing.time_entries.contract_line_id is
    'Whose bucket the time is taken from; without one, that of each line of the client for the service.';
alter table billing.usage_tracking
    add column contract_line_id uuid,
    add foreign key (tenant, contract_line_id) references billing.contract_lines (tenant, contract_line_id);
comment on column billing.usage_tracking.contract_line_id is
    'Whose bucket the use is taken from; without one, that of each line of the client for the service.';

select billing.keep_tenants_apart('billing.bucket_configurations', 'billing.bucket_usage');
