select c.client_id, coalesce(sum(e.amount), 0)::bigint as balance
from billing.clients as c
left join billing.transactions as e on e.tenant = c.tenant and e.client_id = c.client_id and e.is_credit
where c.tenant = %(tenant)s and c.client_id = any(%(clients)s)
group by c.client_id
