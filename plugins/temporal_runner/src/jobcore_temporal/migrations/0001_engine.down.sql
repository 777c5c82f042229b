delete from jobcore.engines where runner_type = 'temporal';
