update billing.webhook_subscriptions
set is_enabled = true, consecutive_failures = 0, disabled_at = null, disabled_reason = null
where tenant = %(tenant)s and subscription_id = %(subscription_id)s
