select jobcore.job_step_save(%s, %s, %s, %s, %s::jsonb)::text
