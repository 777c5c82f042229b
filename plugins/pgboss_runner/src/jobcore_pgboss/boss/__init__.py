"""pg-boss's own verbs in Python, for teams who know it."""

from jobcore_pgboss.boss.boss import PgBoss
from jobcore_pgboss.boss.job_results import JobResult
from jobcore_pgboss.boss.models import Job, JobWithMetadata

__all__ = ["Job", "JobResult", "JobWithMetadata", "PgBoss"]
