alter table billing.usage_tracking drop column contract_line_id;
alter table billing.time_entries drop column contract_line_id;
drop table billing.bucket_usage;
drop table billing.bucket_configurations;
