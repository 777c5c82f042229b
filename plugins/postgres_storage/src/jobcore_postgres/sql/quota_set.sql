select jobcore.quota_set(%s::uuid, %s::bigint, %s::bigint, %s::bigint)
