-- In one order, so that two runs wait for each other and do not deadlock; the later one gets what is left.
insert into billing.credit_notices (tenant, credit_id, threshold, job_id)
select %(tenant)s, credit_id, %(threshold)s, %(job)s
from unnest(%(credits)s::uuid[]) as credit_id
order by credit_id
on conflict (tenant, credit_id, threshold) do nothing
returning credit_id
