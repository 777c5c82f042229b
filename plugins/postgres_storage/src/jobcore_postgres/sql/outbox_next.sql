select jobcore.outbox_next(%s)
