-- When clients are billed, how, and what was delivered to them meanwhile.
create table billing.client_billing_cycles (
    tenant uuid not null,
    billing_cycle_id uuid not null,
    client_id uuid not null,
    billing_cycle text not null check (
        billing_cycle in ('weekly', 'bi-weekly', 'monthly', 'quarterly', 'semi-annually', 'annually')
    ),
    effective_date date not null,
    period_start_date date,
    period_end_date date,
    is_active boolean not null default true,
    primary key (tenant, billing_cycle_id),
    unique (tenant, client_id, effective_date),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id) on delete cascade
);
comment on column billing.client_billing_cycles.period_end_date is
    'The day after the last one. Without the two dates the period is reckoned from effective_date.';

create table billing.default_billing_settings (
    tenant uuid primary key references billing.tenants (tenant),
    zero_dollar_invoice_handling text not null default 'normal' check (
        zero_dollar_invoice_handling in ('normal', 'suppress', 'finalized')
    ),
    payment_terms text not null default 'net_30' check (
        payment_terms in ('due_on_receipt', 'net_7', 'net_15', 'net_30', 'net_45', 'net_60')
    ),
    enable_credit_expiration boolean not null default true,
    credit_expiration_notification_days integer[] not null default '{}'
);

create table billing.client_billing_settings (
    tenant uuid not null,
    client_id uuid not null,
    zero_dollar_invoice_handling text check (zero_dollar_invoice_handling in ('normal', 'suppress', 'finalized')),
    payment_terms text check (
        payment_terms in ('due_on_receipt', 'net_7', 'net_15', 'net_30', 'net_45', 'net_60')
    ),
    anchor_day_of_month smallint check (anchor_day_of_month between 1 and 28),
    anchor_month smallint check (anchor_month between 1 and 12),
    anchor_reference_date date,
    primary key (tenant, client_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id) on delete cascade
);
comment on table billing.client_billing_settings is 'What differs from the tenant''s defaults; null is the default.';

create table billing.numbering (
    tenant uuid not null references billing.tenants (tenant),
    entity_type text not null,
    prefix text not null,
    padding smallint not null default 6 check (padding between 1 and 18),
    last_number bigint not null default 0 check (last_number >= 0),
    primary key (tenant, entity_type)
);
