update jobcore.engines set leave = null where runner_type = 'pgboss';
