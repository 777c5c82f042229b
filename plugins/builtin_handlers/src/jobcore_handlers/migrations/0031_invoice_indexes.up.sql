-- Each line, mark and entry of an invoice looks for it by tenant and id. On a table that was small when the plan was made,
-- any index that begins with the tenant seems as good a way there, and walks all invoices of the tenant until the next
-- analysis. So only the key begins with it.
alter table billing.invoices drop constraint invoices_number_taken;
alter table billing.invoices add constraint invoices_number_taken unique (invoice_number, tenant);
alter table billing.invoices drop constraint invoices_cycle_billed;
alter table billing.invoices add constraint invoices_cycle_billed unique (billing_cycle_id, tenant);
drop index billing.invoices_by_client;
create index invoices_by_client on billing.invoices (client_id, tenant);
