select position
from jobcore.pgboss_complete(
    %s::text[], %s::uuid[], %s::text[], %s::integer[], %s::bigint[], %s::bigint[], %s::jsonb, %s::uuid) as position
