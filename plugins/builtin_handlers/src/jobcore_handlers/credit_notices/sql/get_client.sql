select c.name, c.currency, coalesce(c.locale, t.locale)::text as locale
from billing.clients as c
join billing.tenants as t on t.tenant = c.tenant
where c.tenant = %(tenant)s and c.client_id = %(client)s
