select jobcore.job_cancel_request(%s, %s, %s, %s)
