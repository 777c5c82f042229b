-- With the tenant's next number, unless somebody used that one by hand. The row lock is held until the transaction ends,
-- so numbers have neither gaps nor duplicates; the tenant's other invoices wait for it.
with taken as (
    insert into billing.numbering as n (tenant, entity_type, prefix, last_number)
    values (%(tenant)s, 'INVOICE', 'INV-', 1)
    on conflict (tenant, entity_type) do update set last_number = n.last_number + 1
    returning n.prefix || lpad(n.last_number::text, greatest(n.padding, length(n.last_number::text)), '0') as number
), written as (
    insert into billing.invoices (
        tenant, invoice_id, client_id, invoice_number, status, currency, invoice_date, due_date, billing_cycle_id,
        billing_period_start, billing_period_end, is_manual, po_number, subtotal, tax, credit_applied,
        created_by, created_by_job, finalized_at
    )
    select
        %(tenant)s, %(invoice)s, %(client)s, number, %(status)s, %(currency)s, %(invoice_date)s, %(due_date)s, %(cycle)s,
        %(start)s, %(end)s, false, %(po_number)s, %(subtotal)s, %(tax)s, 0,
        %(user)s, %(job)s, case when %(status)s = 'finalized' then now() end
    from taken
    on conflict (tenant, invoice_number) do nothing
    returning invoice_id
)
select number, exists (select from written) as is_written from taken
