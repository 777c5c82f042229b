"""pg-boss's own verbs in Python, for teams who know it."""

from jobcore_pgboss.boss.boss import PgBoss

__all__ = ["PgBoss"]
