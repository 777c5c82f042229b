update billing.clients set credit_balance = credit_balance + %(amount)s
where tenant = %(tenant)s and client_id = %(client)s
