select extract(epoch from min(next_fire) - clock_timestamp())::double precision
from public.cron_jobs
where enabled and next_fire is not null
