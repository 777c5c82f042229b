-- Send one job to each queue that subscribed to the event; answer how many were let in.
select cast(count(jobcore.pgboss_send(s.name, a.job -> 'data', a.job -> 'options')) as text)
from (select cast($1 as text) as event, cast(cast($2 as text) as jsonb) as job) a
join pgboss.subscription s on s.event = a.event
