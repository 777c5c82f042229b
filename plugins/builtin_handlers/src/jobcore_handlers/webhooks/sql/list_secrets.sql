select tenant, subscription_id, created_at, secret
from billing.webhook_secrets
where tenant = %(tenant)s and subscription_id = %(subscription_id)s
    and (expires_at is null or expires_at > clock_timestamp())
order by created_at desc
limit 2
