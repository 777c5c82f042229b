select description, quantity, unit, rate, net_amount, tax_percent, tax_amount
from billing.invoice_charges
where tenant = %(tenant)s and invoice_id = %(invoice)s
order by position
