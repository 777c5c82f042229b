"""J12: keys of sessions that have ended."""
