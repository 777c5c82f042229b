-- Row-level security decides: a tenant sees itself; a worker, and the system tenant, see all.
select tenant from billing.tenants order by tenant
