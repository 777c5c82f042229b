select subscription_id, url, is_enabled, consecutive_failures, disabled_reason
from billing.webhook_subscriptions
where tenant = %(tenant)s and resource = %(resource)s and is_enabled
order by subscription_id
