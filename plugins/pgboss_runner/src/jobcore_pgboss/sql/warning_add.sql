insert into pgboss.warning (type, message, data, created_on)
values (%b::text, %b::text, %b::jsonb, pgboss.job_now())
returning id
