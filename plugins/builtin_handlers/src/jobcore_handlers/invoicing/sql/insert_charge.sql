insert into billing.invoice_charges (
    tenant, invoice_id, position, description, unit, service_id, contract_line_id, discount_id,
    quantity, rate, net_amount, tax_rate_id, tax_percent, tax_amount
) values (
    %(tenant)s, %(invoice)s, %(position)s, %(description)s, %(unit)s, %(service)s, %(contract_line)s, %(discount)s,
    %(quantity)s, %(rate)s, %(net_amount)s, %(tax_rate)s, %(tax_percent)s, %(tax_amount)s
)
