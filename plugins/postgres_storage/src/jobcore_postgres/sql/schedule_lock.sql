-- What is known of a schedule, kept as it is until the transaction ends; and the database's clock.
select now() as now, c.pattern, c.interval_ms, c.timezone, c.anchor
from (values (1)) as one (row)
left join lateral (
    select k.pattern, k.interval_ms, k.timezone, k.anchor
    from public.cron_jobs k
    where k.tenant = %(tenant)s and k.job_id = %(key)s
    for no key update
) c on true
