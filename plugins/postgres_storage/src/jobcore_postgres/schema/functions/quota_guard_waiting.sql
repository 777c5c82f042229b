-- Refuse jobs that were `made` just now if more than `most` of their tenant wait. Those are counted anew only where the last
-- count and what was made since come to more, or to much; a count that took more than 5 ms is good for forty times as long.
create or replace function jobcore.quota_guard_waiting(tenant uuid, most bigint, made bigint) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    much constant integer := 5000;
    sample jobcore.quota_samples;
    since bigint;
    is_fresh boolean;
    waiting bigint;
begin
    select s.* into sample
    from jobcore.quota_samples s
    -- What has been deleted since is missing in a sum that is older.
    where s.tenant = $1 and s.sampled_at > clock_timestamp() - interval '1 day'
    order by s.sampled_at desc, s.waiting
    limit 1;
    if found then
        select count(*) into since
        from (
            select
            from public.jobs j
            where j.tenant = $1 and j.created_at > sample.sampled_at
            limit greatest($2 - sample.waiting, 0) + $3 + 1
        ) j;
        waiting := sample.waiting + since;
        is_fresh := sample.took_ms > 5
            and clock_timestamp() < sample.sampled_at + (1000 + 40 * sample.took_ms) * interval '1 millisecond';
        if waiting <= $2 and (
            since < much or sample.sampled_at > clock_timestamp() - interval '3 seconds' or is_fresh
            or not pg_try_advisory_xact_lock(hashtextextended('jobcore quota ' || $1, 0)))
        then
            return;
        end if;
    end if;

    if not coalesce(is_fresh, false) then
        select s.waiting into waiting from jobcore.quota_sample(array[$1], array[$3]) s;
    end if;
    if waiting > $2 then
        perform jobcore.quota_refuse($1, 'waiting', $2, waiting - $3, $3, null);
    end if;
end
$$;
