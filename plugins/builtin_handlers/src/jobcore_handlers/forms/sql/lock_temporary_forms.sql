-- The lock keeps others from adding a schema or a task to a form that is about to go.
select form_id
from billing.workflow_form_definitions
where tenant = %(tenant)s and is_temporary
order by form_id
for update
