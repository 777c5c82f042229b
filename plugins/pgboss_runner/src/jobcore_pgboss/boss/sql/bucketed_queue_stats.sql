-- The same by buckets of time: gauges by their time, as `aggregate` says; counters and histograms added up, by the end of
-- what they cover, in the bucket of a gauge at or before it. Columns that are younger than version 42 may be missing.
with asked as materialized (
    select
        cast($1 as text) as name,
        o.wanted,
        cast(o.wanted ->> 'from' as timestamptz) as since,
        cast(o.wanted ->> 'to' as timestamptz) as until
    from (select cast(cast($2 as text) as jsonb) as wanted) o
),
recorded as materialized (
    select to_jsonb(s) as its, s.captured_on, cast(to_jsonb(s) ->> 'delta_on' as timestamptz) as delta_on
    from asked a
    join pgboss.queue_stats s on s.name = a.name
),
width as materialized (
    select coalesce(
        cast(a.wanted ->> 'bucket_seconds' as double precision),
        greatest(
            1,
            ceil(
                extract(epoch from
                    least(coalesce(a.until, r.latest), r.latest) - greatest(coalesce(a.since, r.earliest), r.earliest))
                / cast(a.wanted ->> 'max_data_points' as double precision)))) as seconds
    from asked a
    cross join (select min(captured_on) as earliest, max(captured_on) as latest from recorded) r
),
gauged as (
    select
        floor(extract(epoch from r.captured_on) / w.seconds) as bucket,
        g.key,
        case a.wanted ->> 'aggregate'
            when 'min' then min(cast(g.value as integer))
            when 'avg' then cast(round(avg(cast(g.value as integer))) as integer)
            else max(cast(g.value as integer))
        end as value
    from asked a
    cross join width w
    cross join recorded r
    cross join lateral jsonb_each_text(r.its) g (key, value)
    where g.key in ('deferred_count', 'queued_count', 'ready_count', 'active_count', 'failed_count', 'total_count')
        and (a.since is null or r.captured_on >= a.since)
        and (a.until is null or r.captured_on <= a.until)
    group by 1, g.key, a.wanted
),
gauges as materialized (
    select g.bucket, jsonb_object_agg(g.key, g.value) as its from gauged g group by g.bucket
),
counted as materialized (
    select
        coalesce(
            (select max(g.bucket) from gauges g where g.bucket <= extract(epoch from r.delta_on) / w.seconds),
            (select min(g.bucket) from gauges g)) as bucket,
        r.its,
        r.delta_on
    from asked a
    cross join width w
    join recorded r on (a.since is null or r.delta_on >= a.since) and (a.until is null or r.delta_on <= a.until)
    where r.delta_on is not null
),
counters as (
    select
        c.bucket,
        jsonb_build_object(
            'created_delta', sum(cast(c.its ->> 'created_delta' as integer)),
            'completed_delta', sum(cast(c.its ->> 'completed_delta' as integer)),
            'failed_delta', sum(cast(c.its ->> 'failed_delta' as integer)),
            'delta_seconds', sum(cast(c.its ->> 'delta_seconds' as integer)),
            'delta_on', max(c.delta_on),
            'ready_oldest_seconds', max(cast(c.its ->> 'ready_oldest_seconds' as integer))) as its
    from counted c
    group by c.bucket
),
slots as (
    select
        c.bucket,
        b.slot,
        coalesce(sum(cast(b.wait as integer)), 0) as wait,
        coalesce(sum(cast(b.run as integer)), 0) as run
    from counted c
    cross join lateral rows from (
        jsonb_array_elements_text(nullif(c.its -> 'wait_bins', 'null')),
        jsonb_array_elements_text(nullif(c.its -> 'run_bins', 'null'))
    ) with ordinality b (wait, run, slot)
    group by c.bucket, b.slot
),
histograms as (
    select
        s.bucket,
        jsonb_build_object(
            'wait_bins', jsonb_agg(s.wait order by s.slot), 'run_bins', jsonb_agg(s.run order by s.slot)) as its
    from slots s
    group by s.bucket
)
select cast(
    case when exists (select from pgboss.queue q where q.name = a.name) then (
        select coalesce(jsonb_agg(newest.its order by newest.bucket desc), cast('[]' as jsonb))
        from (
            select
                g.bucket,
                g.its || coalesce(c.its, '{}') || coalesce(h.its, '{}')
                    || jsonb_build_object('captured_on', to_timestamp(g.bucket * w.seconds)) as its
            from gauges g
            cross join width w
            left join counters c on c.bucket = g.bucket
            left join histograms h on h.bucket = g.bucket
            order by g.bucket desc
            limit least(
                cast(a.wanted ->> 'limit' as integer), cast(a.wanted ->> 'max_data_points' as integer))
        ) newest)
    else 'null' end as text)
from asked a
