drop table billing.client_contacts;
drop table billing.clients;
drop table billing.users;
drop table billing.tenants;
drop schema billing;
