select u.usage_id, u.usage_date, u.quantity, s.service_id, s.name as service_name
from billing.usage_tracking as u
join billing.services as s on s.tenant = u.tenant and s.service_id = u.service_id
where
    u.tenant = %(tenant)s and u.client_id = %(client)s and u.invoice_id is null
    and u.usage_date >= %(start)s and u.usage_date < %(end)s
order by u.usage_date, u.usage_id
for update of u
