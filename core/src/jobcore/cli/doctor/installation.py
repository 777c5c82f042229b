"""Checks of what is installed: Python, and the distributions of jobcore."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions

from jobcore import __version__
from jobcore.cli.doctor.diagnosis import Finding, fault, well

OLDEST_PYTHON = (3, 11)
CORE = "jobcore-core"
META = "jobcore"
OURS = frozenset(
    {
        META,
        CORE,
        "jobcore-postgres-storage",
        "jobcore-pgboss-runner",
        "jobcore-temporal-runner",
        "jobcore-builtin-handlers",
        "jobcore-dashboard",
        "jobcore-observability",
        "jobcore-devkit",
    }
)


def check_python() -> Finding:
    """See that this Python is new enough."""
    found = f"Python {platform.python_version()} ({platform.python_implementation()})"
    if sys.version_info < OLDEST_PYTHON:
        return fault("python", found, "Use Python 3.11 or newer.")
    return well("python", found)


def check_distributions(installed: Iterable[Distribution] | None = None) -> Finding:
    """See that all our distributions are of one version, and that `jobcore` is not somebody else's.

    The name `jobcore` on the public index belongs to another project, which would put its own package in our place.
    """
    found = {
        re.sub(r"[-_.]+", "-", name).lower(): distribution
        for distribution in (distributions() if installed is None else installed)
        if (name := distribution.metadata["Name"])
    }
    if (meta := found.get(META)) is not None and not _is_ours(meta):
        return fault(
            "distributions",
            f"The installed distribution 'jobcore' {meta.version} is another project of that name, not this one.",
            "Uninstall it (pip uninstall jobcore), and install our distributions by path or with --no-index; "
            "see docs/how-to/install-a-plugin.md.",
        )
    versions = {name: found[name].version for name in sorted(OURS & set(found))}
    if odd := {name: version for name, version in versions.items() if version != __version__}:
        told = ", ".join(f"{name} {version}" for name, version in odd.items())
        return fault(
            "distributions",
            f"{told}: not of the version of the code that runs, {__version__}.",
            "Install all distributions of jobcore in one version.",
        )
    return well("distributions", f"{', '.join(versions) or 'none'}, all {__version__}")


def _is_ours(meta: Distribution) -> bool:
    return any(requirement.startswith(CORE) for requirement in meta.requires or ())
