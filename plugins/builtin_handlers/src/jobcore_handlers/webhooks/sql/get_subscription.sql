select subscription_id, url, is_enabled, consecutive_failures, disabled_reason
from billing.webhook_subscriptions
where tenant = %(tenant)s and subscription_id = %(subscription_id)s
