select transaction_id, type, amount, related_transaction_id
from billing.transactions
where tenant = %(tenant)s and client_id = %(client)s and is_credit
