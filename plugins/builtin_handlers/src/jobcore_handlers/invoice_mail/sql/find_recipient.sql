-- The first address in the order of precedence; the client's row comes even where there is none.
select coalesce(c.locale, t.locale)::text as locale, found.email, found.name
from billing.clients as c
join billing.tenants as t on t.tenant = c.tenant
left join lateral (
    select email, name
    from (
        select case when p.contact_id = c.billing_contact_id then 1 else 2 end as precedence,
            p.email, p.name, null::timestamptz as since, p.contact_id as id
        from billing.client_contacts as p
        where p.tenant = c.tenant and p.client_id = c.client_id and not p.is_inactive
            and (p.contact_id = c.billing_contact_id or p.is_billing_contact)
        union all
        select 3, c.billing_email, c.name, null, c.client_id
        union all
        select case when l.is_billing_address then 4 else 5 end, l.email, l.name, l.created_at, l.location_id
        from billing.client_locations as l
        where l.tenant = c.tenant and l.client_id = c.client_id and l.is_active
            and (l.is_billing_address or l.is_default)
    ) as candidates
    where btrim(email) <> ''
    order by precedence, since, id
    limit 1
) as found on true
where c.tenant = %(tenant)s and c.client_id = %(client)s
