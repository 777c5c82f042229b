-- Begin a look at who may be admitted, in a transaction that `admission_grant` is to end; null where another is at it.
-- The answer: `candidates` as `admission_candidates` finds them; of their gates what is `held`, by tenant, and the `buckets`,
-- each with its tokens and their age; the jobs at a time of all live workers (`hands`); `reached`, the last of as many
-- `lanes` as were to be looked at, or null at their end; and when the next job's time comes (`next_ms`).
create or replace function jobcore.admission_begin(beyond text, lanes integer, thorough boolean) returns jsonb
language plpgsql
as $$
declare
    candidates jsonb;
    gates text[];
    hands integer;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('jobcore admission', 0)) then
        return null;
    end if;
    if $3 then
        perform jobcore.admission_sweep($1, $2);
        perform jobcore.admission_unpause();
    end if;
    perform jobcore.admission_wake(1000, $3);

    select coalesce(sum(w.concurrency), 0) into hands
    from jobcore.workers w
    where w.seen_at > statement_timestamp() - interval '1 minute' and not w.stopping;
    select coalesce(jsonb_agg(c), '[]') into candidates from jobcore.admission_candidates($1, $2, hands) c;
    select array_agg(distinct g ->> 'name') into gates
    from jsonb_to_recordset(candidates) as c (gates jsonb)
    cross join lateral jsonb_array_elements(c.gates) g;

    return jsonb_build_object(
        'candidates', candidates,
        'held', (
            select coalesce(jsonb_agg(h), '[]')
            from (
                select s.gate, s.tenant, count(*) as taken
                from jobcore.slots s
                where s.gate = any (gates)
                group by s.gate, s.tenant
            ) h),
        'buckets', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'gate', b.gate,
                'tokens', b.tokens,
                'age', extract(epoch from statement_timestamp() - b.filled_at))), '[]')
            from jobcore.buckets b
            where b.gate = any (gates)),
        'hands', hands,
        'reached', (
            select max(c.lane)
            from jsonb_to_recordset(candidates) as c (lane text)
            having count(distinct c.lane) >= $2),
        'next_ms', (
            select extract(epoch from min(a.ready_at) - statement_timestamp()) * 1000
            from jobcore.admissions a
            where a.state = 'later'));
end
$$;
