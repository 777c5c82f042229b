select * from jobcore.outbox_claim(%s, %s, %s, %s, %s, %s, %s)
