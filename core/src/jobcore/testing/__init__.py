"""The testing kit: an application in memory, a way to run one handler, and assertions about what was enqueued.

Fixtures are opted into: `pytest_plugins = ["jobcore.testing.fixtures"]` in the top `conftest.py`.
"""

from jobcore.memory.clock import MovableClock
from jobcore.testing.apps import memory_app
from jobcore.testing.assertions import assert_enqueued, assert_not_enqueued
from jobcore.testing.running import JobRun, run_job

__all__ = [
    "JobRun",
    "MovableClock",
    "assert_enqueued",
    "assert_not_enqueued",
    "memory_app",
    "run_job",
]
