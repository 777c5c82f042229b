insert into jobcore.retention_marks as m (tenant, state, seen_to, swept_at)
values (%(tenant)s, %(state)s::public.job_status, %(seen_to)s::timestamptz, statement_timestamp())
on conflict (tenant, state) do update
set seen_to = excluded.seen_to,
    swept_at = case when %(swept)s then excluded.swept_at else m.swept_at end
