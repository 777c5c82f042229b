-- The client's settings over the tenant's; no row if there are neither.
select
    coalesce(c.zero_dollar_invoice_handling, d.zero_dollar_invoice_handling, 'normal') as zero_invoices,
    coalesce(c.payment_terms, d.payment_terms, 'net_30') as payment_terms,
    (now() at time zone 'UTC')::date as today
from (select %(tenant)s::uuid as tenant, %(client)s::uuid as client_id) as wanted
left join billing.default_billing_settings as d on d.tenant = wanted.tenant
left join billing.client_billing_settings as c on c.tenant = wanted.tenant and c.client_id = wanted.client_id
where d.tenant is not null or c.tenant is not null
