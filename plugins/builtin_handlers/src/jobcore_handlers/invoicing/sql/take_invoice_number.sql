-- The row lock is held until the transaction ends, so numbers have neither gaps nor duplicates.
insert into billing.numbering as n (tenant, entity_type, prefix, last_number)
values (%(tenant)s, 'INVOICE', 'INV-', 1)
on conflict (tenant, entity_type) do update set last_number = n.last_number + 1
returning
    n.prefix || case
        when length(n.last_number::text) >= n.padding then n.last_number::text
        else lpad(n.last_number::text, n.padding, '0')
    end as number
