drop policy system_lists_tenants on billing.tenants;
drop table billing.api_keys;
