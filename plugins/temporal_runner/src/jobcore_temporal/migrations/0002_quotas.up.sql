-- How many jobs of a tenant wait for Temporal.
update jobcore.engines set waiting = 'jobcore.outbox_waiting' where runner_type = 'temporal';
