update billing.bucket_usage
set minutes_used = %(used)s, overage_minutes = %(overage)s, updated_at = now()
where tenant = %(tenant)s and usage_id = %(usage)s
