delete from jobcore.workers where seen_at < statement_timestamp() - make_interval(secs => %s)
