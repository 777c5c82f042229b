delete from pgboss.warning where created_on < pgboss.job_now() - %b::int4 * interval '1 day' returning id
