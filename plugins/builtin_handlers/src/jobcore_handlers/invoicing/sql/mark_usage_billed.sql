update billing.usage_tracking set invoice_id = %(invoice)s where tenant = %(tenant)s and usage_id = any(%(records)s)
