update jobcore.engines set waiting = null where runner_type = 'temporal';
