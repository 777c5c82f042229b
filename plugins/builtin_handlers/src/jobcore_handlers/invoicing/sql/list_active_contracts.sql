select name, po_required, nullif(trim(po_number), '') as po_number
from billing.contracts
where
    tenant = %(tenant)s and client_id = %(client)s and is_active
    and start_date < %(end)s and (end_date is null or end_date > %(start)s)
order by start_date, contract_id
