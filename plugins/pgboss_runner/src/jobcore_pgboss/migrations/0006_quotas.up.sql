-- How many jobs of a tenant wait in our queues.
update jobcore.engines set waiting = 'jobcore.pgboss_waiting' where runner_type = 'pgboss';
