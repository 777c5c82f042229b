update billing.webhook_secrets
set secret = %(secret)s
where tenant = %(tenant)s and subscription_id = %(subscription_id)s and created_at = %(created_at)s
