"""Migrations of every installed component: up, down, status, and the script for an administrator.

All calls block, take a connection of their own, and keep others out with one advisory lock.
"""

from jobcore_postgres.migrations.apply import down, migrate
from jobcore_postgres.migrations.compatibility import require_schema
from jobcore_postgres.migrations.components import Component, installed_components
from jobcore_postgres.migrations.files import FunctionFile, Migration
from jobcore_postgres.migrations.script import render_sql
from jobcore_postgres.migrations.status import MigrationStatus, status

__all__ = [
    "Component",
    "FunctionFile",
    "Migration",
    "MigrationStatus",
    "down",
    "installed_components",
    "migrate",
    "render_sql",
    "require_schema",
    "status",
]
