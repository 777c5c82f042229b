select o.queue, count(*)
from (
    select b.queue
    from jobcore.outbox x
    join public.jobs b on b.tenant = x.tenant and b.job_id = x.job_id and b.epoch = x.epoch
    where x.runner_type = %(runner)s and x.state <> 'ending' and b.status = 'queued'
    union all
    select a.queue from jobcore.admissions a where a.runner_type = %(runner)s
) o
where %(queues)s::text[] is null or o.queue = any (%(queues)s::text[])
group by o.queue
order by o.queue
