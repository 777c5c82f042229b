"""pg-boss's background duties: what every instance of it does beside working jobs, shared between Node and Python."""

from jobcore_pgboss.duties.staff import Duties

__all__ = ["Duties"]
