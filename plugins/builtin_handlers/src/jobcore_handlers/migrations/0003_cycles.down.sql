drop table billing.numbering;
drop table billing.client_billing_settings;
drop table billing.default_billing_settings;
drop table billing.client_billing_cycles;
