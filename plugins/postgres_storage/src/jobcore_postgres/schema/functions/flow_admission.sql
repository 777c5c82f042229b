-- What holds a job up, as `jobs.admission` keeps it, and `jobcore.policies.admission.as_document` writes it: the lane that it
-- queues in, and how many of that are looked at together. `parents` is a JSON array of ids, or null.
create or replace function jobcore.flow_admission(tenant uuid, gates jsonb, parents jsonb, on_failure text) returns jsonb
language sql immutable
as $$
    select jsonb_build_object(
        'lane', case when length(l.lane) <= 500 then l.lane else encode(sha256(convert_to(l.lane, 'UTF8')), 'hex') end,
        'width', case when g.smallest > 1 and g.is_shared then 0 else g.smallest end,
        'gates', $2)
        || case when jsonb_array_length($3) > 0 then jsonb_build_object('after', (
            select jsonb_agg(jsonb_build_object('job_id', p.id, 'on_failure', $4) order by p.ord)
            from (
                select p.id::uuid, min(p.ord)
                from jsonb_array_elements_text($3) with ordinality as p (id, ord)
                group by p.id::uuid
            ) as p (id, ord)))
        else '{}' end
    from (
        select
            string_agg(e ->> 'name', '|' order by e ->> 'name' collate "C"),
            least(500, min((e ->> 'limit')::integer)),
            coalesce(bool_or(e ? 'weight'), false)
        from jsonb_array_elements($2) e
    ) as g (names, smallest, is_shared)
    cross join lateral (
        select coalesce(concat_ws('|', g.names, case when g.is_shared then $1::text end), '')
    ) as w (lane)
    cross join lateral (select coalesce(nullif(w.lane, ''), 'free')) as l (lane)
$$;
