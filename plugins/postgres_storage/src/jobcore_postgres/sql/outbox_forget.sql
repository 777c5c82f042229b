select jobcore.outbox_forget(%s::jsonb)
