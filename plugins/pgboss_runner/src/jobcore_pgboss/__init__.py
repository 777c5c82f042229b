"""The Community runner: a PostgreSQL queue that speaks the schema of pg-boss, so that Node services can share it."""
