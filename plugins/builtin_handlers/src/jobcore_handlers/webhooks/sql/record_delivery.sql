with recorded as (
    insert into billing.webhook_events (
        tenant, subscription_id, job_id, attempt, action, resource_id, is_delivered, status_code, error, response,
        duration_ms, sent_at
    )
    values (
        %(tenant)s, %(subscription_id)s, %(job_id)s, %(attempt)s, %(action)s, %(resource_id)s, %(is_delivered)s,
        %(status_code)s, %(error)s, %(response)s, %(duration_ms)s, %(sent_at)s
    )
    on conflict (tenant, job_id, attempt) do nothing
    returning is_delivered
)
update billing.webhook_subscriptions s
set consecutive_failures = case when r.is_delivered then 0 else s.consecutive_failures + 1 end,
    is_enabled = s.is_enabled and (r.is_delivered or s.consecutive_failures + 1 < %(disabled_after)s),
    disabled_at = case
        when s.is_enabled and not r.is_delivered and s.consecutive_failures + 1 >= %(disabled_after)s then now()
        else s.disabled_at
    end,
    disabled_reason = case
        when s.is_enabled and not r.is_delivered and s.consecutive_failures + 1 >= %(disabled_after)s
            then format('%%s deliveries in a row failed', s.consecutive_failures + 1)
        else s.disabled_reason
    end
from recorded r
where s.tenant = %(tenant)s and s.subscription_id = %(subscription_id)s
returning s.subscription_id, s.url, s.is_enabled, s.consecutive_failures, s.disabled_reason
