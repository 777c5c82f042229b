delete from jobcore.quotas q where q.tenant is not distinct from %(tenant)s::uuid
