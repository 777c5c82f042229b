-- The active cycle that reaches furthest, and the first day of the first one.
select
    y.billing_cycle, y.effective_date, y.period_end_date,
    (
        select min(coalesce(f.period_start_date, f.effective_date))
        from billing.client_billing_cycles as f
        where f.tenant = y.tenant and f.client_id = y.client_id and f.is_active
    ) as first_day
from billing.client_billing_cycles as y
where y.tenant = %(tenant)s and y.client_id = %(client)s and y.is_active
order by coalesce(y.period_end_date, y.effective_date) desc, y.effective_date desc
limit 1
