select
    u.client_id, u.contract_line_id, u.service_id, u.period_start, u.period_end, u.minutes_used, u.overage_minutes,
    u.rolled_over_minutes, c.total_minutes
from billing.bucket_usage as u
left join billing.bucket_configurations as c on c.tenant = u.tenant and c.contract_line_id = u.contract_line_id
where u.tenant = %(tenant)s and u.usage_id = %(usage)s
for no key update of u
