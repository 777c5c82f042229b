select jobcore.outbox_handed(%s::jsonb, %s)
