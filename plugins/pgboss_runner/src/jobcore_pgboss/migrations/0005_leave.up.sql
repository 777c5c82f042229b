-- A job that is moved to another engine leaves the queue by our function.
update jobcore.engines set leave = 'jobcore.pgboss_leave' where runner_type = 'pgboss';
