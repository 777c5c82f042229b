"""Work for every tenant: tenant by tenant in one job of the system, or in a job for each, told about as one."""

from jobcore_handlers.tenancy.each import TenantsFailedError, count_over_tenants, serve_each
from jobcore_handlers.tenancy.fan_out import fan_out
from jobcore_handlers.tenancy.system_database import SystemDatabase
from jobcore_handlers.tenancy.tenant_jobs import TenantJobs

__all__ = ["SystemDatabase", "TenantJobs", "TenantsFailedError", "count_over_tenants", "fan_out", "serve_each"]
