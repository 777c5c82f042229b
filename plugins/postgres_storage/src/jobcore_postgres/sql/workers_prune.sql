select jobcore.worker_forget(array_agg(worker_id))
from jobcore.workers
where seen_at < statement_timestamp() - make_interval(secs => %s)
