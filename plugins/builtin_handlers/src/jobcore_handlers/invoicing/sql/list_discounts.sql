-- A discount counts if it is valid on the last day of the period.
select discount_id, name, percent, amount, service_id
from billing.discounts
where
    tenant = %(tenant)s and client_id = %(client)s
    and valid_from <= %(last_day)s and (valid_to is null or valid_to > %(last_day)s)
order by valid_from, discount_id
