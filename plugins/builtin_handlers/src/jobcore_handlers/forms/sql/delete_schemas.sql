delete from billing.workflow_form_schemas where tenant = %(tenant)s and form_id = any(%(forms)s)
