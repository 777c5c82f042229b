"""The PostgreSQL storage of jobcore: the `jobs`, `job_details` and `cron_jobs` tables, and the protocol around them.

Light to import; a driver is loaded by the modules that need one.
"""
