-- Active clients of which no cycle reaches beyond today; a cycle without dates is looked at more closely.
-- `left_to_do` counts those beyond the limit too.
select c.client_id, t.today, count(*) over () as left_to_do
from billing.clients as c
cross join (select (now() at time zone 'UTC')::date as today) as t
where c.tenant = %(tenant)s
    and not c.is_inactive
    and (%(after)s::uuid is null or c.client_id > %(after)s)
    and not exists (
        select
        from billing.client_billing_cycles as y
        where y.tenant = c.tenant and y.client_id = c.client_id and y.is_active and y.period_end_date > t.today)
order by c.client_id
limit %(limit)s
