drop table billing.usage_tracking;
drop table billing.time_entries;
drop table billing.transactions;
drop table billing.invoice_charges;
drop table billing.invoices;
