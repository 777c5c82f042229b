-- Which of five ranks a priority falls into, the first one first: for indexes, and for engines that know no more.
create or replace function jobcore.outbox_rank(priority integer) returns smallint
language sql immutable parallel safe
as $$
    select case
        when $1 >= 10 then 1
        when $1 > 0 then 2
        when $1 = 0 then 3
        when $1 > -10 then 4
        else 5
    end::smallint
$$;
