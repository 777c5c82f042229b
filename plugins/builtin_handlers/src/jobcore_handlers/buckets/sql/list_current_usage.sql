-- A period stays for two days after its last one: by then that day is over in every time zone, and a daily run has seen it.
select u.usage_id
from billing.bucket_usage as u
cross join (select (now() at time zone 'UTC')::date as today) as t
where u.tenant = %(tenant)s and u.period_start <= t.today and u.period_end >= t.today - 2
order by u.usage_id
