-- A cycle that begins on the same day is there already, active or not: it stands.
insert into billing.client_billing_cycles (
    tenant, billing_cycle_id, client_id, billing_cycle, effective_date, period_start_date, period_end_date
)
select %(tenant)s, p.cycle_id, %(client)s, %(cadence)s, p.first_day, p.first_day, p.end_day
from unnest(%(ids)s::uuid[], %(starts)s::date[], %(ends)s::date[]) as p (cycle_id, first_day, end_day)
on conflict (tenant, client_id, effective_date) do nothing
returning billing_cycle_id
