select jobcore.outbox_restart(%s, %s, %s, %s::jsonb)
