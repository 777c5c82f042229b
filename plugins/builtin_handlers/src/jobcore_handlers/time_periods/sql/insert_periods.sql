insert into billing.time_periods (tenant, period_id, start_date, end_date, created_by_job)
select %(tenant)s, p.period_id, p.first_day, p.end_day, %(job)s
from unnest(%(ids)s::uuid[], %(starts)s::date[], %(ends)s::date[]) as p (period_id, first_day, end_day)
