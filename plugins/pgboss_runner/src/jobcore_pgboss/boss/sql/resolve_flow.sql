-- See to so many completed parents; answer how many there were.
select cast(jobcore.pgboss_flow_resolve(a.parents) as text)
from (select cast($1 as text) as nothing, cast(cast($2 as text) as integer) as parents) a
