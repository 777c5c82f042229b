"""What `reconcile-bucket-usage` is told."""

from __future__ import annotations

from jobcore import JobData


class ReconcileBucketUsage(JobData):
    """Whose buckets are meant: all of the tenant's."""
