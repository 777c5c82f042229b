select * from jobcore.outbox_take(%s, %s, %s)
