-- With its secret in one statement: the trigger gives one in plain text only where there is none.
with added as (
    insert into billing.webhook_subscriptions (tenant, subscription_id, url, resource)
    values (%(tenant)s, %(subscription_id)s, %(url)s, %(resource)s)
    returning *
),
its_secret as (
    insert into billing.webhook_secrets (tenant, subscription_id, secret)
    select tenant, subscription_id, %(secret)s
    from added
)
select subscription_id, url, resource, is_enabled, consecutive_failures, failed_probes, resume_at, disabled_at,
    disabled_reason, clock_timestamp() as read_at
from added
