-- Attempts of these jobs have been settled: let go of what they held, and tell whoever waits for their end. `gated` tells
-- whether one of them has an admission; where nobody waits for anything this costs a look at an empty table.
create or replace function jobcore.job_ended(tenants uuid[], job_ids uuid[], gated boolean) returns void
language plpgsql
as $$
begin
    if $3 then
        perform jobcore.admission_release(
            array_agg(b.tenant), array_agg(b.job_id))
        from unnest($1, $2) as g (tenant, job_id)
        join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
        where b.admission is not null and b.status not in ('queued', 'active', 'processing');
    end if;
    if exists (select from jobcore.dependencies d where not d.settled) then
        perform jobcore.dependency_ended($1, $2);
    end if;
end
$$;
