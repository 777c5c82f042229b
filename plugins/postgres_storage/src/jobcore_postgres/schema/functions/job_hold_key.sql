-- Give a job its dedupe key back, unless another job holds it.
create or replace function jobcore.job_hold_key(tenant uuid, job_id uuid) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
    update public.jobs j
    set held_key = j.dedupe_key
    where j.tenant = $1 and j.job_id = $2;
exception
    when unique_violation then
        null;  -- the other job stands for this key; the requeued one runs without it
end
$$;
