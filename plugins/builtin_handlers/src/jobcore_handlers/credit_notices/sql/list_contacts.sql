select contact_id, name, btrim(email) as email
from billing.client_contacts
where tenant = %(tenant)s and client_id = %(client)s
    and is_billing_contact and not is_inactive and btrim(email) <> ''
order by contact_id
