update billing.time_entries set invoice_id = %(invoice)s where tenant = %(tenant)s and entry_id = any(%(records)s)
