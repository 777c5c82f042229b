-- Refuse jobs that were `made` just now if their tenant made more than `most` by calls within one second.
create or replace function jobcore.quota_guard_rate(tenant uuid, most bigint, made bigint) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    window_began constant timestamptz := statement_timestamp() - interval '1 second';
    first_beyond timestamptz;
    has bigint;
begin
    select j.created_at into first_beyond
    from public.jobs j
    where j.tenant = $1 and j.created_at > window_began and j.schedule_id is null
    order by j.created_at desc
    offset $2
    limit 1;
    if not found then
        return;
    end if;

    select count(*) - $3 into has
    from public.jobs j
    where j.tenant = $1 and j.created_at > window_began and j.schedule_id is null;
    perform jobcore.quota_refuse(
        $1, 'enqueues_per_second', $2, has, $3,
        case when $3 <= $2
            then greatest(0, extract(epoch from first_beyond + interval '1 second' - clock_timestamp()))
        end::float8);
end
$$;
