-- The first that is named counts; a tenant that has one active client need name none.
select client_id
from billing.clients
where tenant = %(tenant)s and client_id = coalesce(
    %(associated)s::uuid,
    %(default)s::uuid,
    (select default_client_id from billing.tenants where tenant = %(tenant)s),
    (
        select min(client_id::text)::uuid from billing.clients
        where tenant = %(tenant)s and not is_inactive having count(*) = 1
    )
)
