select jobcore.outbox_postpone(%s::jsonb)
