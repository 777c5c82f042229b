update billing.time_entries set billing_date = %(next_start)s where tenant = %(tenant)s and entry_id = any(%(records)s)
