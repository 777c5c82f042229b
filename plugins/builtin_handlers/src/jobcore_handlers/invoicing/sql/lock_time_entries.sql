-- Locked, so that an entry is not approved between being left out of this invoice and being rolled to the next period.
select
    e.entry_id, e.work_date, e.billable_minutes, e.approval_status = 'approved' as is_approved,
    s.service_id, s.name as service_name
from billing.time_entries as e
join billing.services as s on s.tenant = e.tenant and s.service_id = e.service_id
where
    e.tenant = %(tenant)s and e.client_id = %(client)s and e.is_billable and e.invoice_id is null
    and e.billing_date >= %(start)s and e.billing_date < %(end)s
order by e.work_date, e.entry_id
for update of e
