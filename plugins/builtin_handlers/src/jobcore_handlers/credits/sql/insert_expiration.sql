-- The clock is read now, not when the transaction began: the client's entries are in the order in which they were made.
insert into billing.transactions (
    tenant, transaction_id, client_id, type, amount, balance_after, related_transaction_id, description, created_at
)
values (
    %(tenant)s, %(transaction)s, %(client)s, 'credit_expiration', %(amount)s, %(balance_after)s, %(original)s,
    'Credit expired', clock_timestamp()
)
