-- Instances of which nothing was heard for a week, stopped or not: pg-boss's own measure.
delete from pgboss.instance where heartbeat_on < pgboss.job_now() - interval '7 days' returning id
