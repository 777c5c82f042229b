select o.epoch, o.state, o.try_at, o.tries, o.options, o.error
from jobcore.outbox o
join public.jobs b on b.tenant = o.tenant and b.job_id = o.job_id and b.epoch = o.epoch
where o.tenant = %s and o.job_id = %s
