select jobcore.pause_lift(%s::text, %s::text)
