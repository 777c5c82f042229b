select t.time_zone, t.name as seller_name, now() as now,
    coalesce(s.enable_credit_expiration, true) as is_enabled,
    coalesce(array_remove(s.credit_expiration_notification_days, null), '{}') as thresholds
from billing.tenants as t
left join billing.default_billing_settings as s on s.tenant = t.tenant
where t.tenant = %(tenant)s
