-- Contracts that ended before the period still cover work that was approved late, so only the start is compared.
select
    l.contract_line_id, l.kind, l.quantity, coalesce(l.rate, s.default_rate) as rate,
    s.service_id, s.name as service_name, s.unit, s.tax_class,
    c.name as contract_name, c.start_date, c.end_date
from billing.contracts as c
join billing.contract_lines as l on l.tenant = c.tenant and l.contract_id = c.contract_id
join billing.services as s on s.tenant = l.tenant and s.service_id = l.service_id
where c.tenant = %(tenant)s and c.client_id = %(client)s and c.is_active and c.start_date < %(end)s
order by c.start_date, c.contract_id, l.position
