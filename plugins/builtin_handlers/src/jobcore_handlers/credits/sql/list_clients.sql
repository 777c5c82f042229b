select
    c.client_id,
    c.credit_balance <> 0
    or exists (
        select from billing.transactions as e where e.tenant = c.tenant and e.client_id = c.client_id and e.is_credit
    )
    or exists (
        select from billing.credit_tracking as t where t.tenant = c.tenant and t.client_id = c.client_id
    ) as has_credit
from billing.clients as c
where c.tenant = %(tenant)s and (%(client)s::uuid is null or c.client_id = %(client)s)
order by c.client_id
