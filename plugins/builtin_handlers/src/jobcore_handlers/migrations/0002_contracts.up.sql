-- What was agreed: services and their prices, contracts, discounts, taxes. Rates are cents and may have a fraction.
create table billing.services (
    tenant uuid not null references billing.tenants (tenant),
    service_id uuid not null,
    name text not null,
    unit text not null,
    default_rate numeric(18, 6) check (default_rate >= 0),
    tax_class text,
    primary key (tenant, service_id)
);
comment on column billing.services.tax_class is 'Which of a region''s tax rates applies; without one the service is not taxed.';

create table billing.contracts (
    tenant uuid not null,
    contract_id uuid not null,
    client_id uuid not null,
    name text not null,
    start_date date not null,
    end_date date,
    is_active boolean not null default true,
    po_required boolean not null default false,
    po_number text,
    primary key (tenant, contract_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id) on delete cascade,
    check (end_date > start_date)
);
comment on column billing.contracts.end_date is 'The day after the last one in force.';
create index contracts_by_client on billing.contracts (tenant, client_id);

create table billing.contract_lines (
    tenant uuid not null,
    contract_line_id uuid not null,
    contract_id uuid not null,
    position smallint not null,
    kind text not null check (kind in ('fixed', 'hourly', 'usage')),
    service_id uuid not null,
    quantity numeric(18, 6) not null default 1 check (quantity >= 0),
    rate numeric(18, 6) check (rate >= 0),
    primary key (tenant, contract_line_id),
    unique (tenant, contract_id, position),
    foreign key (tenant, contract_id) references billing.contracts (tenant, contract_id) on delete cascade,
    foreign key (tenant, service_id) references billing.services (tenant, service_id)
);
comment on column billing.contract_lines.rate is 'Cents for a month, an hour or a unit; without one the service''s default rate.';

create table billing.tax_rates (
    tenant uuid not null references billing.tenants (tenant),
    tax_rate_id uuid not null,
    region text not null,
    tax_class text not null,
    percent numeric(9, 6) not null check (percent >= 0),
    valid_from date not null,
    valid_to date,
    primary key (tenant, tax_rate_id),
    unique (tenant, region, tax_class, valid_from),
    check (valid_to > valid_from)
);

create table billing.discounts (
    tenant uuid not null,
    discount_id uuid not null,
    client_id uuid not null,
    name text not null,
    percent numeric(9, 6) check (percent between 0 and 100),
    amount bigint check (amount >= 0),
    service_id uuid,
    valid_from date not null,
    valid_to date,
    primary key (tenant, discount_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id) on delete cascade,
    foreign key (tenant, service_id) references billing.services (tenant, service_id),
    check ((percent is null) <> (amount is null)),
    check (valid_to > valid_from)
);
comment on column billing.discounts.amount is 'Cents off each invoice.';
create index discounts_by_client on billing.discounts (tenant, client_id);
