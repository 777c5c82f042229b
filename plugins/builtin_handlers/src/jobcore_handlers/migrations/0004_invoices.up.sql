-- Invoices, their lines, the ledger, and the work that they bill. Amounts are cents.
create table billing.invoices (
    tenant uuid not null,
    invoice_id uuid not null,
    client_id uuid not null,
    invoice_number text not null,
    status text not null default 'draft' check (status in ('draft', 'finalized', 'sent', 'paid', 'void')),
    currency char(3) not null,
    invoice_date date not null,
    due_date date not null,
    billing_cycle_id uuid,
    billing_period_start date,
    billing_period_end date,
    is_manual boolean not null default false,
    po_number text,
    subtotal bigint not null,
    tax bigint not null,
    total bigint generated always as (subtotal + tax) stored,
    credit_applied bigint not null default 0,
    created_by uuid not null,
    created_by_job uuid,
    created_at timestamptz not null default now(),
    finalized_at timestamptz,
    primary key (tenant, invoice_id),
    constraint invoices_number_taken unique (tenant, invoice_number),
    constraint invoices_cycle_billed unique (tenant, billing_cycle_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id),
    foreign key (tenant, billing_cycle_id) references billing.client_billing_cycles (tenant, billing_cycle_id)
);
comment on column billing.invoices.created_by is 'Who asked for it; the zero UUID is the system.';
create index invoices_by_client on billing.invoices (tenant, client_id);

create table billing.invoice_charges (
    tenant uuid not null,
    invoice_id uuid not null,
    position smallint not null,
    description text not null,
    unit text not null default '',
    service_id uuid,
    contract_line_id uuid,
    discount_id uuid,
    quantity numeric(18, 6) not null,
    rate numeric(18, 6),
    net_amount bigint not null,
    tax_rate_id uuid,
    tax_percent numeric(9, 6),
    tax_amount bigint not null default 0,
    primary key (tenant, invoice_id, position),
    foreign key (tenant, invoice_id) references billing.invoices (tenant, invoice_id) on delete cascade
);

create table billing.transactions (
    tenant uuid not null,
    transaction_id uuid not null default gen_random_uuid(),
    client_id uuid not null,
    invoice_id uuid,
    type text not null,
    status text not null default 'completed',
    amount bigint not null,
    balance_after bigint not null,
    related_transaction_id uuid,
    description text not null default '',
    created_at timestamptz not null default now(),
    primary key (tenant, transaction_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id),
    foreign key (tenant, invoice_id) references billing.invoices (tenant, invoice_id)
);
create index transactions_by_client on billing.transactions (tenant, client_id, created_at);
create unique index transactions_invoice_entered_once on billing.transactions (tenant, invoice_id)
    where type = 'invoice_generated';

create table billing.time_entries (
    tenant uuid not null,
    entry_id uuid not null,
    client_id uuid not null,
    service_id uuid not null,
    user_id uuid not null,
    work_date date not null,
    billing_date date not null,
    billable_minutes integer not null check (billable_minutes >= 0),
    is_billable boolean not null default true,
    approval_status text not null default 'draft' check (
        approval_status in ('draft', 'submitted', 'changes_requested', 'approved')
    ),
    invoice_id uuid,
    note text not null default '',
    primary key (tenant, entry_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id),
    foreign key (tenant, service_id) references billing.services (tenant, service_id),
    foreign key (tenant, invoice_id) references billing.invoices (tenant, invoice_id),
    check (billing_date >= work_date)
);
comment on column billing.time_entries.billing_date is
    'In whose period the entry is billed: the day of the work, until an unapproved entry rolls to the next period.';
create index time_entries_by_client on billing.time_entries (tenant, client_id, billing_date);

create table billing.usage_tracking (
    tenant uuid not null,
    usage_id uuid not null,
    client_id uuid not null,
    service_id uuid not null,
    usage_date date not null,
    quantity numeric(18, 6) not null check (quantity >= 0),
    invoice_id uuid,
    primary key (tenant, usage_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id),
    foreign key (tenant, service_id) references billing.services (tenant, service_id),
    foreign key (tenant, invoice_id) references billing.invoices (tenant, invoice_id)
);
create index usage_tracking_by_client on billing.usage_tracking (tenant, client_id, usage_date);
