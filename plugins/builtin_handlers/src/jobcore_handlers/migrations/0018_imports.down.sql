drop table billing.external_entity_mappings;
drop table billing.import_job_items;
drop table billing.import_jobs;
drop table billing.import_sources;
drop table billing.assets;
alter table billing.tenants drop column default_client_id;
