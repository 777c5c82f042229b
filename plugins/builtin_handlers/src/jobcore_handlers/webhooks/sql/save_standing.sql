update billing.webhook_subscriptions
set is_enabled = %(is_enabled)s,
    consecutive_failures = %(consecutive_failures)s,
    failed_probes = %(failed_probes)s,
    resume_at = %(resume_at)s,
    disabled_at = %(disabled_at)s,
    disabled_reason = %(disabled_reason)s
where tenant = %(tenant)s and subscription_id = %(subscription_id)s
