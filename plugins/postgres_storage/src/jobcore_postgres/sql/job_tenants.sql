select tenant from jobcore.job_tenants() t (tenant)
