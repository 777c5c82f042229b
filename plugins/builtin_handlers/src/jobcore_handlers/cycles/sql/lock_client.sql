-- The row lock makes two runs wait for each other; the second one sees the cycles of the first.
select c.billing_cycle, s.anchor_day_of_month, s.anchor_month, s.anchor_reference_date
from billing.clients as c
left join billing.client_billing_settings as s on s.tenant = c.tenant and s.client_id = c.client_id
where c.tenant = %(tenant)s and c.client_id = %(client)s and not c.is_inactive
for no key update of c
