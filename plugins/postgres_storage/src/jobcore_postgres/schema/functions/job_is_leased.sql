-- Whether the token holds the job, kept so until the transaction ends: the share lock makes a takeover wait.
-- A null token asks only whether the job exists.
create or replace function jobcore.job_is_leased(tenant uuid, job_id uuid, token text) returns boolean
language plpgsql
as $$
#variable_conflict use_column
begin
    if $3 is null then
        return exists (select from public.jobs j where j.tenant = $1 and j.job_id = $2);
    end if;
    perform
    from public.jobs j
    where j.tenant = $1 and j.job_id = $2 and j.lease_token = $3 and j.status in ('active', 'processing')
    for share;
    return found;
end
$$;
