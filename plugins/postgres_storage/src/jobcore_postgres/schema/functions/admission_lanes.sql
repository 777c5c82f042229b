-- Up to `lanes` lanes after `beyond` in which a job waits that is due, and how many of each can be admitted at once at most.
create or replace function jobcore.admission_lanes(beyond text, lanes integer) returns table (lane text, width integer)
language sql stable
as $$
    with recursive walk (lane, width, place) as (
        select f.lane, f.width, 1
        from (
            select a.lane, a.width
            from jobcore.admissions a
            where a.state = 'due' and a.lane > $1
            order by a.lane, a.priority desc, a.number
            limit 1
        ) f
        union all
        select n.lane, n.width, w.place + 1
        from walk w
        cross join lateral (
            select a.lane, a.width
            from jobcore.admissions a
            where a.state = 'due' and a.lane > w.lane
            order by a.lane, a.priority desc, a.number
            limit 1
        ) n
        where w.place < $2
    )
    select w.lane, w.width from walk w
$$;
