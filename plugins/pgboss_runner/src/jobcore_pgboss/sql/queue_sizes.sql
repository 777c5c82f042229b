select q.name, count(j.id) + w.waiting
from pgboss.queue q
left join pgboss.job j on j.name = q.name and j.state < 'active'
cross join lateral (select count(*) as waiting from jobcore.admissions a where a.queue = q.name) w
where %(queues)s::text[] is null or q.name = any (%(queues)s::text[])
group by q.name, w.waiting
order by q.name
