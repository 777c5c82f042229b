select t.client_id, d.threshold, t.credit_id, t.remaining_amount
from unnest(%(thresholds)s::integer[], %(begins)s::timestamptz[], %(ends)s::timestamptz[]) as d (threshold, begins, ends)
join billing.credit_tracking as t
    on t.tenant = %(tenant)s and t.expiration_date >= greatest(d.begins, now()) and t.expiration_date < d.ends
where not t.is_expired and t.remaining_amount > 0
    and (%(client)s::uuid is null or t.client_id = %(client)s)
    and not exists (
        select from billing.credit_notices as n
        where n.tenant = t.tenant and n.credit_id = t.credit_id and n.threshold = d.threshold
    )
order by t.client_id, d.threshold, t.expiration_date, t.credit_id
