-- One winner an interval, for as long as it lasts: whoever comes first moves the time on.
insert into jobcore.duties as d (duty, taken_at)
values ('retention', statement_timestamp())
on conflict (duty) do update
set taken_at = excluded.taken_at
where d.taken_at <= excluded.taken_at - make_interval(secs => %s)
