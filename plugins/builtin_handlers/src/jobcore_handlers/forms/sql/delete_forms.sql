delete from billing.workflow_form_definitions where tenant = %(tenant)s and form_id = any(%(forms)s)
