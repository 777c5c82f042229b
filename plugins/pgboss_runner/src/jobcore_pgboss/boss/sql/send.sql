select cast(coalesce(to_jsonb(jobcore.pgboss_send(a.queue, a.job -> 'data', a.job -> 'options')), 'null') as text)
from (select cast($1 as text) as queue, cast(cast($2 as text) as jsonb) as job) a
