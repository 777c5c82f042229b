insert into billing.invoices (
    tenant, invoice_id, client_id, invoice_number, status, currency, invoice_date, due_date, billing_cycle_id,
    billing_period_start, billing_period_end, is_manual, po_number, subtotal, tax, credit_applied,
    created_by, created_by_job, finalized_at
) values (
    %(tenant)s, %(invoice)s, %(client)s, %(number)s, %(status)s, %(currency)s, %(invoice_date)s, %(due_date)s, %(cycle)s,
    %(start)s, %(end)s, false, %(po_number)s, %(subtotal)s, %(tax)s, 0,
    %(user)s, %(job)s, case when %(status)s = 'finalized' then now() end
)
