select runner_type, status::text as status, count(*)
from public.jobs
where %(tenant)s::uuid is null or tenant = %(tenant)s
group by runner_type, status
