"""An engine and a storage in memory: for tests, and for trying things out without a database.

The semantics are those of the PostgreSQL storage: states, attempts, retries, deduplication, cancellation, details,
steps, schedules, and completion within a unit of work.
"""

from jobcore.memory.clock import MovableClock
from jobcore.memory.connection import MemoryConnection
from jobcore.memory.runner import MemoryMode, MemoryRunner
from jobcore.memory.store import MemoryStore

__all__ = ["MemoryConnection", "MemoryMode", "MemoryRunner", "MemoryStore", "MovableClock"]
