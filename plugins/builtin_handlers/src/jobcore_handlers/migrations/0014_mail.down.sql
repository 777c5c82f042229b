drop table billing.invoice_mails;
drop table billing.mail_outbox;
drop table billing.mail_templates;
drop table billing.client_locations;
alter table billing.clients drop column locale;
alter table billing.tenants drop column locale;
drop domain billing.locale;
