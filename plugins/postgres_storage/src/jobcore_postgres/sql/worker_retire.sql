delete from jobcore.workers where worker_id = %s
