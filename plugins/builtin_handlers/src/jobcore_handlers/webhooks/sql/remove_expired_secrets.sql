delete from billing.webhook_secrets
where tenant = %(tenant)s and subscription_id = %(subscription_id)s and expires_at <= clock_timestamp()
