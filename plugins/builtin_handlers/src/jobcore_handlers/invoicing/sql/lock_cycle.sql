-- The row lock makes two jobs for one cycle wait for each other; the second one finds the invoice of the first.
select
    c.billing_cycle_id, c.billing_cycle, c.effective_date, c.period_start_date, c.period_end_date,
    s.anchor_day_of_month, s.anchor_month, s.anchor_reference_date
from billing.client_billing_cycles as c
left join billing.client_billing_settings as s on s.tenant = c.tenant and s.client_id = c.client_id
where c.tenant = %(tenant)s and c.billing_cycle_id = %(cycle)s and c.client_id = %(client)s
for update of c
