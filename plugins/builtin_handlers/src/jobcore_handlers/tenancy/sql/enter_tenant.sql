select set_config('jobcore.tenant', %(tenant)s, true)
