update billing.webhook_secrets
set expires_at = case when expires_at is null then clock_timestamp() + %(overlap)s else clock_timestamp() end
where tenant = %(tenant)s and subscription_id = %(subscription_id)s
    and (expires_at is null or expires_at > clock_timestamp())
