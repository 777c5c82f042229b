"""This distribution's own part of the schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jobcore_postgres.migrations.components import Component

COMPONENT = "postgres"


@cache
def own_component() -> Component:
    """Return the component `postgres`, whether or not the entry points can be read."""
    return Component(COMPONENT, Path(__file__).parent / "schema")
