select credit_balance from billing.clients
where tenant = %(tenant)s and client_id = %(client)s
for no key update
