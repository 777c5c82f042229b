-- The queue stays: Node services may use it, and it may have been here before us. `drop schema pgboss cascade` is the
-- operator's decision.
select;
