-- In one order, so that two runs wait for each other and do not deadlock.
select c.client_id
from billing.clients as c
where
    c.tenant = %(tenant)s and (%(client)s::uuid is null or c.client_id = %(client)s)
    and exists (
        select from billing.credit_tracking as t
        where
            t.tenant = c.tenant and t.client_id = c.client_id
            and not t.is_expired and t.remaining_amount > 0 and t.expiration_date < now()
    )
    and not exists (
        select from billing.default_billing_settings as s where s.tenant = c.tenant and not s.enable_credit_expiration
    )
order by c.client_id
for no key update of c
