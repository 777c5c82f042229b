-- Locked, so that two invoices of one client enter the ledger one after the other.
select currency, case when is_tax_exempt then null else tax_region end as tax_region
from billing.clients
where tenant = %(tenant)s and client_id = %(client)s
for no key update
