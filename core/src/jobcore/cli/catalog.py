"""The commands of core: each is imported when it is called, or when all are listed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CORE_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "init": "jobcore.cli.init:app",
        "worker": "jobcore.cli.worker:app",
        "enqueue": "jobcore.cli.enqueue:app",
        "jobs": "jobcore.cli.jobs:app",
        "queues": "jobcore.cli.queues:app",
        "schedules": "jobcore.cli.schedules:app",
        "pause": "jobcore.cli.pausing.pause:app",
        "resume": "jobcore.cli.pausing.resume:app",
        "pauses": "jobcore.cli.pausing.list:app",
        "quotas": "jobcore.cli.quotas:app",
        "cutover": "jobcore.cli.cutover:app",
        "reload": "jobcore.cli.reload:app",
        "plugins": "jobcore.cli.plugins:app",
        "doctor": "jobcore.cli.doctor:app",
        "check": "jobcore.cli.check:app",
        "why": "jobcore.cli.why:app",
        "version": "jobcore.cli.version:app",
    }
)
"""Name to `module:attribute`, in the order of `jobcore --help`. Those of plugins follow."""

ELSEWHERE: Mapping[str, str] = MappingProxyType({"dev": "jobcore-devkit", "migrate": "jobcore-postgres-storage"})
"""Commands that other distributions of ours bring."""

NOT_YET: Mapping[str, str] = MappingProxyType(
    {
        "dashboard": "There is no dashboard yet; it comes with a later version. `jobcore jobs list`, `jobcore queues` "
        "and `jobcore why JOB` show what runs."
    }
)
"""Commands that people look for and that no version has."""
