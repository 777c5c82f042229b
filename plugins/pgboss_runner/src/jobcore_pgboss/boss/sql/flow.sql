-- Send the jobs of a flow; answer which of their queues do not exist: then none was sent.
select cast(jobcore.boss_flow(a.flow) as text)
from (select cast($1 as text) as nothing, cast(cast($2 as text) as jsonb) as flow) a
