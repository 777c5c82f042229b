select q.tenant, q.waiting, q.enqueues_per_second, q.schedules, q.set_at
from jobcore.quotas q
order by q.tenant nulls first
