update billing.credit_tracking set is_expired = true, remaining_amount = 0, updated_at = now()
where tenant = %(tenant)s and credit_id = %(credit)s
