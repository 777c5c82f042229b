select jobcore.pause_set(%s::text, %s::text, %s::text, %s::text)
