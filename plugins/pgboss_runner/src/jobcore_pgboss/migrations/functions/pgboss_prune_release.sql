-- Hand back a queue that was taken and not finished, so that another instance may take it now.
create or replace function jobcore.pgboss_prune_release(queue text, claimed_on timestamptz) returns void
language sql
as $$ update pgboss.queue q set maintain_on = null where q.name = $1 and q.maintain_on = $2 $$;
