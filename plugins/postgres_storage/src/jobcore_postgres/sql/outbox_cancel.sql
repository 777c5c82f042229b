select jobcore.outbox_cancel(%s, %s, %s, %s, %s)
