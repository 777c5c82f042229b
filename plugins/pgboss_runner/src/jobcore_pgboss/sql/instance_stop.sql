update pgboss.instance set stopped_on = pgboss.job_now() where id = %b::uuid returning id
