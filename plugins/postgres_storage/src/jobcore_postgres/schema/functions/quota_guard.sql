-- Refuse jobs that were made just now and bring a tenant over its quota. `called` and `fired` hold the tenant of each job, made
-- by a call or by a schedule: how often those fire is bounded by the quota of schedules. They are in no queue yet.
create or replace function jobcore.quota_guard(called uuid[], fired uuid[]) returns void
language plpgsql
as $$
declare
    one record;
begin
    for one in
        select n.tenant, n.made, n.called, q.waiting, q.enqueues_per_second
        from (
            select m.tenant, count(*) as made, count(*) filter (where m.is_called) as called
            from (select unnest($1), true union all select unnest($2), false) as m (tenant, is_called)
            group by m.tenant
        ) n
        cross join lateral jobcore.quota_of(n.tenant) q
        order by n.tenant
    loop
        if one.called > 0 and one.enqueues_per_second is not null then
            perform jobcore.quota_guard_rate(one.tenant, one.enqueues_per_second, one.called);
        end if;
        if one.waiting is not null then
            perform jobcore.quota_guard_waiting(one.tenant, one.waiting, one.made);
        end if;
    end loop;
end
$$;
