drop table billing.workflow_task_definitions;
drop table billing.workflow_form_schemas;
drop table billing.workflow_form_definitions;
