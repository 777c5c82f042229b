select jobcore.quota_schedule(%(tenant)s, %(key)s)
