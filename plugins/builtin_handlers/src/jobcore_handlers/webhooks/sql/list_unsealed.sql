select tenant, subscription_id, created_at, secret
from billing.webhook_secrets
where not starts_with(secret, %(prefix)s)
order by tenant, subscription_id, created_at
limit %(batch)s
for update
