"""`jobcore pause`, `resume` and `pauses`: of a queue, a handler or a tenant."""
