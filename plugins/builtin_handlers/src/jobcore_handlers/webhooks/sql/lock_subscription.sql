select subscription_id, url, resource, is_enabled, consecutive_failures, failed_probes, resume_at, disabled_at, disabled_reason,
    clock_timestamp() as read_at
from billing.webhook_subscriptions
where tenant = %(tenant)s and subscription_id = %(subscription_id)s
for no key update
