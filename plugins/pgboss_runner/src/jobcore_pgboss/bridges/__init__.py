"""Bridges to the application's own connections: one statement in whatever transaction is under way there.

A connection is known by the names of its classes, so that no library is imported which the application does not use.
"""

from __future__ import annotations

from jobcore_pgboss.bridges.choice import Bridge, bridge_to
from jobcore_pgboss.bridges.faults import sqlstate_of

__all__ = ["Bridge", "bridge_to", "sqlstate_of"]
