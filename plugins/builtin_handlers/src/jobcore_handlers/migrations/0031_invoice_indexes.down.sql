alter table billing.invoices drop constraint invoices_number_taken;
alter table billing.invoices add constraint invoices_number_taken unique (tenant, invoice_number);
alter table billing.invoices drop constraint invoices_cycle_billed;
alter table billing.invoices add constraint invoices_cycle_billed unique (tenant, billing_cycle_id);
drop index billing.invoices_by_client;
create index invoices_by_client on billing.invoices (tenant, client_id);
