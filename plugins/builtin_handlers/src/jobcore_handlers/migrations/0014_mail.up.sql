-- Mail: what it says in which language, to whom a client's goes, what waits to be sent, and what was sent.
create domain billing.locale as text check (value ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$');

alter table billing.tenants add column locale billing.locale not null default 'en';
alter table billing.clients add column locale billing.locale;
comment on column billing.clients.locale is 'In which language the client reads; null is the tenant''s.';

create table billing.client_locations (
    tenant uuid not null,
    location_id uuid not null default gen_random_uuid(),
    client_id uuid not null,
    name text not null,
    email text,
    is_billing_address boolean not null default false,
    is_default boolean not null default false,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    primary key (tenant, location_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id) on delete cascade
);
create index client_locations_by_client on billing.client_locations (tenant, client_id, created_at);

create table billing.mail_templates (
    tenant uuid not null,
    name text not null check (name ~ '^[a-z0-9-]{1,80}$'),
    locale billing.locale not null,
    subject text not null check (length(subject) between 1 and 300),
    text_body text not null check (length(text_body) <= 64000),
    html_body text check (length(html_body) <= 64000),
    updated_at timestamptz not null default now(),
    primary key (tenant, name, locale)
);
comment on column billing.mail_templates.tenant is
    'Whose wording it is; the zero UUID holds the system''s, which every tenant reads.';

create table billing.mail_outbox (
    tenant uuid not null references billing.tenants (tenant),
    mail_id uuid not null,
    to_address text not null,
    to_name text not null default '',
    subject text not null,
    text_body text not null,
    html_body text,
    status text not null default 'pending' check (status in ('pending', 'sending', 'sent', 'dead')),
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    claim uuid,
    last_error text,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    primary key (tenant, mail_id),
    check ((status = 'sending') = (claim is not null)),
    check ((status = 'sent') = (sent_at is not null))
);
comment on column billing.mail_outbox.next_attempt_at is
    'From when on it may be claimed; of a mail that is being sent: when its claim lapses.';
create index mail_outbox_due on billing.mail_outbox (tenant, next_attempt_at) where status in ('pending', 'sending');

create table billing.invoice_mails (
    tenant uuid not null,
    job_id uuid not null,
    invoice_id uuid not null,
    mail_id uuid not null,
    document_id uuid not null,
    sent_at timestamptz not null default now(),
    primary key (tenant, job_id, invoice_id),
    foreign key (tenant, invoice_id) references billing.invoices (tenant, invoice_id) on delete cascade
);
comment on table billing.invoice_mails is 'Which invoice was sent by which job: the job''s next attempt leaves it out.';

select billing.keep_tenants_apart(
    'billing.client_locations', 'billing.mail_templates', 'billing.mail_outbox', 'billing.invoice_mails'
);

create policy system_rows on billing.mail_templates for select to jobcore_tenant
    using (tenant = '00000000-0000-0000-0000-000000000000');

-- One job of the system tenant sends the mails of all tenants.
create policy rows_for_the_system on billing.mail_outbox to jobcore_tenant
    using (current_setting('jobcore.tenant', true) = '00000000-0000-0000-0000-000000000000')
    with check (current_setting('jobcore.tenant', true) = '00000000-0000-0000-0000-000000000000');
