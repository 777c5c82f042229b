select
    t.credit_id, t.client_id, t.transaction_id, t.remaining_amount,
    exists (
        select from billing.transactions as o
        where o.tenant = t.tenant and o.transaction_id = t.transaction_id and o.client_id = t.client_id and o.is_credit
    ) as has_original,
    exists (
        select from billing.transactions as e
        where e.tenant = t.tenant and e.related_transaction_id = t.transaction_id and e.type = 'credit_expiration'
    ) as has_expiration
from billing.credit_tracking as t
where
    t.tenant = %(tenant)s and t.client_id = any(%(clients)s)
    and not t.is_expired and t.remaining_amount > 0 and t.expiration_date < now()
order by t.client_id, t.expiration_date, t.credit_id
for update of t
