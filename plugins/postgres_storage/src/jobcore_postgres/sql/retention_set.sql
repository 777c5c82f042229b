insert into jobcore.retention (tenant, state, keep_ms)
values (%(tenant)s, %(state)s::public.job_status, %(keep_ms)s)
on conflict (tenant, state) do update
set keep_ms = excluded.keep_ms, updated_at = statement_timestamp()
