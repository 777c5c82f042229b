select q.name, count(j.id)
from pgboss.queue q
left join pgboss.job j on j.name = q.name and j.state < 'active'
where %(queues)s::text[] is null or q.name = any (%(queues)s::text[])
group by q.name
order by q.name
