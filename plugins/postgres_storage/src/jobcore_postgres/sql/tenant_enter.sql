select set_config('role', 'jobcore_tenant', true), set_config('jobcore.tenant', %s, true)
