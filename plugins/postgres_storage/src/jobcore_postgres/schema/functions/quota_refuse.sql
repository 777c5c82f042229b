-- Refuse what brings a tenant, which `has` so many, over its quota of `most` by `more`; `retry_after` is in seconds.
create or replace function jobcore.quota_refuse(
    tenant uuid, quota text, most bigint, has bigint, more bigint, retry_after float8
) returns void
language plpgsql
as $$
begin
    raise exception using
        errcode = 'program_limit_exceeded',
        message = format(
            'tenant %s has %s %s; its quota is %s, and this would be %s more',
            $1, $4,
            case $2
                when 'waiting' then 'jobs waiting'
                when 'enqueues_per_second' then 'jobs enqueued within the last second'
                else 'schedules'
            end,
            $3, $5),
        detail = format('quota %s', jsonb_build_object(
            'quota', $2, 'tenant', $1, 'most', $3, 'has', $4, 'more', $5, 'retry_after', $6)),
        hint = 'Try again later, or let an operator raise the quota: jobcore quotas set.';
end
$$;
