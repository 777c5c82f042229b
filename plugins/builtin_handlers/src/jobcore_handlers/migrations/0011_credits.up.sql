-- Credits: what a client has in hand. The ledger is the truth; credit_tracking and clients.credit_balance are kept by the
-- same transaction as the ledger's entries. Whoever writes a client's entries locks the client's row first.
alter table billing.transactions
    add column is_credit boolean not null generated always as (type like 'credit\_%') stored,
    add constraint transactions_credit_types check (
        type not like 'credit\_%' or type in (
            'credit_issuance', 'credit_issuance_from_negative_invoice', 'credit_application', 'credit_adjustment',
            'credit_expiration', 'credit_transfer'
        )
    ),
    add constraint transactions_credit_issued check (type not like 'credit\_issuance%' or amount > 0),
    add constraint transactions_credit_named check (
        related_transaction_id is not null or not (
            type in ('credit_application', 'credit_adjustment', 'credit_expiration')
            or type = 'credit_transfer' and amount < 0
        )
    );
comment on column billing.transactions.related_transaction_id is
    'The entry that this one is about; of what takes from a credit or adjusts it: the entry that opened the credit.';
create index transactions_credits_by_client on billing.transactions (tenant, client_id) where is_credit;
create unique index transactions_credit_expires_once on billing.transactions (tenant, related_transaction_id)
    where type = 'credit_expiration';

comment on column billing.clients.credit_balance is
    'Cents: the sum of the client''s credit entries in the ledger, written in the same transaction as they.';

create table billing.credit_tracking (
    tenant uuid not null,
    credit_id uuid not null default gen_random_uuid(),
    client_id uuid not null,
    transaction_id uuid not null,
    amount bigint not null check (amount > 0),
    remaining_amount bigint not null check (remaining_amount >= 0),
    expiration_date timestamptz,
    is_expired boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant, credit_id),
    constraint credit_tracking_tracked_once unique (tenant, transaction_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id)
);
comment on column billing.credit_tracking.transaction_id is 'The ledger entry that opened the credit.';
comment on column billing.credit_tracking.expiration_date is 'From when on it is worth nothing; without one it stays.';
create index credit_tracking_by_client on billing.credit_tracking (tenant, client_id);
create index credit_tracking_by_expiration on billing.credit_tracking (tenant, expiration_date)
    where not is_expired and remaining_amount > 0;

create table billing.credit_reconciliation_reports (
    tenant uuid not null,
    report_id uuid not null default gen_random_uuid(),
    client_id uuid not null,
    issue_type text not null check (
        issue_type in (
            'credit_balance_discrepancy', 'missing_credit_tracking_entry', 'inconsistent_credit_remaining_amount'
        )
    ),
    transaction_id uuid,
    credit_id uuid,
    expected_balance bigint not null,
    actual_balance bigint not null,
    difference bigint generated always as (actual_balance - expected_balance) stored,
    detection_date timestamptz not null default now(),
    status text not null default 'open' check (status in ('open', 'in_review', 'resolved')),
    resolution_date timestamptz,
    resolution_user uuid,
    resolution_notes text,
    resolution_transaction_id uuid,
    metadata jsonb not null default '{}',
    primary key (tenant, report_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id)
);
comment on column billing.credit_reconciliation_reports.expected_balance is
    'Cents, as the ledger has it: of the client, or of the one credit that the report is about.';
comment on column billing.credit_reconciliation_reports.detection_date is 'When the issue was last seen.';
create unique index credit_reconciliation_reports_one_unresolved on billing.credit_reconciliation_reports (
    tenant, client_id, issue_type, coalesce(credit_id, transaction_id, client_id)
) where status <> 'resolved';

select billing.keep_tenants_apart('billing.credit_tracking', 'billing.credit_reconciliation_reports');
