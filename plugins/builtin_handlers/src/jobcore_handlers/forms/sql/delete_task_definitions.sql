delete from billing.workflow_task_definitions where tenant = %(tenant)s and form_id = any(%(forms)s)
