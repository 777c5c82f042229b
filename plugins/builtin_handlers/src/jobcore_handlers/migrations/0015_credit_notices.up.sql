-- Which credit's end was announced how many days ahead, in whose days, and how the announcement is worded.
alter table billing.tenants add column time_zone text not null default 'UTC' check (length(time_zone) between 1 and 64);
comment on column billing.tenants.time_zone is 'In whose days clients are told of their credits; an IANA name. Billing itself counts days in UTC.';

alter table billing.default_billing_settings
    add constraint credit_notices_come_before check (0 <= all (credit_expiration_notification_days));

create table billing.credit_notices (
    tenant uuid not null,
    credit_id uuid not null,
    threshold integer not null check (threshold >= 0),
    job_id uuid not null,
    created_at timestamptz not null default now(),
    primary key (tenant, credit_id, threshold),
    foreign key (tenant, credit_id) references billing.credit_tracking (tenant, credit_id) on delete cascade
);
comment on column billing.credit_notices.threshold is 'Days before the end.';

select billing.keep_tenants_apart('billing.credit_notices');

-- Row-level security is forced on the owner too, who migrates.
alter table billing.mail_templates no force row level security;
insert into billing.mail_templates (tenant, name, locale, subject, text_body, html_body)
values (
    '00000000-0000-0000-0000-000000000000', 'credit-expiring', 'en',
    'Your credit of $total_amount with $seller_name expires on $expiration_date',
    'Dear $recipient_name,

credit of $client_name expires on $expiration_date (days remaining: $days_remaining):

$credits
Total: $total_amount

$link
Kind regards
$seller_name
',
    '<p>Dear $recipient_name,</p>
<p>credit of $client_name expires on $expiration_date (days remaining: $days_remaining):</p>
$credits
<p>Total: <b>$total_amount</b></p>
$link
<p>Kind regards<br>$seller_name</p>
'
);
alter table billing.mail_templates force row level security;
