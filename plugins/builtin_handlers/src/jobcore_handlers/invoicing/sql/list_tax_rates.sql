-- Of overlapping rates of one class the latest wins: the caller keeps the last of each.
select t.tax_rate_id, t.region, t.tax_class, t.percent
from billing.clients as c
join billing.tax_rates as t on t.tenant = c.tenant and t.region = c.tax_region
where
    c.tenant = %(tenant)s and c.client_id = %(client)s
    and t.valid_from <= %(last_day)s and (t.valid_to is null or t.valid_to > %(last_day)s)
order by t.valid_from, t.tax_rate_id
