select credit_id, transaction_id, remaining_amount
from billing.credit_tracking
where tenant = %(tenant)s and client_id = %(client)s
order by credit_id
