select p.kind, p.name, p.reason, p.paused_by, p.paused_at from jobcore.pauses p order by p.paused_at, p.kind, p.name
