"""Bridges to the application's own connections: one statement in whatever transaction is under way there.

A connection is known by the names of its classes, so that no library is imported which the application does not use.
"""

from __future__ import annotations

from jobcore_postgres.bridges.choice import Bridge, bridge_to
from jobcore_postgres.bridges.faults import conflict_in, detail_of, sqlstate_of, unknown_parent_in

__all__ = ["Bridge", "bridge_to", "conflict_in", "detail_of", "sqlstate_of", "unknown_parent_in"]
