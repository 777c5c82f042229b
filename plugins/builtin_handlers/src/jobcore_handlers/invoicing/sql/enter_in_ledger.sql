-- The ledger holds two balances of a client: what it owes, of which this is an entry, and its credit.
insert into billing.transactions (tenant, client_id, invoice_id, type, amount, balance_after, description)
select
    %(tenant)s, %(client)s, %(invoice)s, 'invoice_generated', %(total)s,
    coalesce(sum(amount), 0) + %(total)s, 'Generated invoice ' || %(number)s
from billing.transactions
where tenant = %(tenant)s and client_id = %(client)s and not is_credit
