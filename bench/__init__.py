"""The peer benchmark: jobcore and other queues on PostgreSQL, side by side in one run. `python -m bench --help`."""
