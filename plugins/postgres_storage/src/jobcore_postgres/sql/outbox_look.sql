select * from jobcore.outbox_look(%s, %s::jobcore.outbox_state, %s, %s)
