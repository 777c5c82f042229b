select tenant, state::text as state, keep_ms
from jobcore.retention
where %(tenant)s::uuid is null or tenant = %(tenant)s
order by tenant, state
