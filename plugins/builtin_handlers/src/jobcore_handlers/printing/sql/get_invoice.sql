select
    i.invoice_id, i.invoice_number, i.status, i.currency, i.invoice_date, i.due_date,
    i.billing_period_start, i.billing_period_end, i.po_number, i.subtotal, i.tax, i.total, i.credit_applied,
    i.client_id, c.name as client_name, c.street as client_street, c.city as client_city, c.country as client_country,
    c.billing_email as client_email,
    t.name as seller_name, t.street as seller_street, t.city as seller_city, t.country as seller_country,
    t.email as seller_email, t.tax_number as seller_tax_number
from billing.invoices as i
join billing.clients as c on c.tenant = i.tenant and c.client_id = i.client_id
join billing.tenants as t on t.tenant = i.tenant
where i.tenant = %(tenant)s and i.invoice_id = %(invoice)s
