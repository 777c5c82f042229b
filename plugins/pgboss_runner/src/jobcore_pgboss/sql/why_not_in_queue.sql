-- Whether a job's queue row is missing, whether its queue is, and since when workers have missed the row.
select
    exists (select from pgboss.queue q where q.name = %(queue)s) as has_queue,
    (select v.seen_on from jobcore.pgboss_vanished v where v.tenant = %(tenant)s and v.job_id = %(job_id)s) as missed_since
where not exists (select from pgboss.job j where j.name = %(queue)s and j.id = %(job_id)s)
