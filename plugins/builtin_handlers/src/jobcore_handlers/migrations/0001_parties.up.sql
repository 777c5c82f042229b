-- Who bills and who is billed. The tenant leads every key.
create schema billing;

create table billing.tenants (
    tenant uuid primary key,
    name text not null,
    street text not null default '',
    city text not null default '',
    country text not null default '',
    tax_number text,
    email text
);

create table billing.users (
    tenant uuid not null references billing.tenants (tenant),
    user_id uuid not null,
    name text not null,
    email text not null,
    primary key (tenant, user_id)
);

create table billing.clients (
    tenant uuid not null references billing.tenants (tenant),
    client_id uuid not null,
    name text not null,
    street text not null default '',
    city text not null default '',
    country text not null default '',
    currency char(3) not null default 'USD',
    billing_cycle text not null default 'monthly',
    billing_email text,
    billing_contact_id uuid,
    tax_region text,
    is_tax_exempt boolean not null default false,
    is_inactive boolean not null default false,
    credit_balance bigint not null default 0,
    primary key (tenant, client_id)
);
comment on column billing.clients.tax_region is 'Whose tax the client pays; without one, none.';
comment on column billing.clients.credit_balance is 'Cents.';

create table billing.client_contacts (
    tenant uuid not null,
    contact_id uuid not null,
    client_id uuid not null,
    name text not null,
    email text not null,
    is_billing_contact boolean not null default false,
    is_inactive boolean not null default false,
    primary key (tenant, contact_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id) on delete cascade
);
create index client_contacts_by_client on billing.client_contacts (tenant, client_id);
