select jobcore.outbox_retry(%s, %s)
