select invoice_id, invoice_number, created_by_job, subtotal, tax, total, currency
from billing.invoices
where tenant = %(tenant)s and billing_cycle_id = %(cycle)s
