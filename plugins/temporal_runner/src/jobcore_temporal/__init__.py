"""The Enterprise runner: jobs on Temporal, recorded in PostgreSQL. The SDK is imported on use."""
