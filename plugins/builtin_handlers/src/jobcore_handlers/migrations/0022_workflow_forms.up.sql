-- Forms that workflows ask people to fill in; temporary ones belong to a single run.
create table billing.workflow_form_definitions (
    tenant uuid not null references billing.tenants (tenant),
    form_id uuid not null default gen_random_uuid(),
    name text not null,
    is_temporary boolean not null default false,
    created_at timestamptz not null default now(),
    primary key (tenant, form_id)
);
create index workflow_forms_temporary on billing.workflow_form_definitions (tenant, form_id) where is_temporary;

create table billing.workflow_form_schemas (
    tenant uuid not null,
    schema_id uuid not null default gen_random_uuid(),
    form_id uuid not null,
    json_schema jsonb not null default '{}',
    primary key (tenant, schema_id),
    foreign key (tenant, form_id) references billing.workflow_form_definitions (tenant, form_id)
);
create index workflow_form_schemas_by_form on billing.workflow_form_schemas (tenant, form_id);

create table billing.workflow_task_definitions (
    tenant uuid not null,
    task_definition_id uuid not null default gen_random_uuid(),
    form_id uuid not null,
    name text not null,
    primary key (tenant, task_definition_id),
    foreign key (tenant, form_id) references billing.workflow_form_definitions (tenant, form_id)
);
create index workflow_task_definitions_by_form on billing.workflow_task_definitions (tenant, form_id);

select billing.keep_tenants_apart(
    'billing.workflow_form_definitions', 'billing.workflow_form_schemas', 'billing.workflow_task_definitions'
);
