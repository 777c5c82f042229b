-- The row lock makes two runs wait for each other; the second one sees the periods of the first.
select (now() at time zone 'UTC')::date as today
from billing.tenants
where tenant = %(tenant)s
for no key update
