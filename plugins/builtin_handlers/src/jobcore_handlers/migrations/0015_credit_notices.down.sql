alter table billing.mail_templates no force row level security;
delete from billing.mail_templates where name = 'credit-expiring';
alter table billing.mail_templates force row level security;
drop table billing.credit_notices;
alter table billing.default_billing_settings drop constraint credit_notices_come_before;
alter table billing.tenants drop column time_zone;
