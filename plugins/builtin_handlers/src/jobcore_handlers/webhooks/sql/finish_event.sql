update billing.webhook_events
set is_delivered = %(is_delivered)s,
    status_code = %(status_code)s,
    error = %(error)s,
    response = %(response)s,
    duration_ms = %(duration_ms)s
where tenant = %(tenant)s and job_id = %(job_id)s and attempt = %(attempt)s and duration_ms is null
returning event_id
