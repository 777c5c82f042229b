"""Load the sample data set into a migrated database.

    python examples/billing/load.py postgresql://…

Or, from a program, `load(dsn)`. A second run on the same database is refused by the primary keys.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

DATA = Path(__file__).parent / "data"

TABLES = (
    "tenants",
    "users",
    "numbering",
    "default_billing_settings",
    "services",
    "tax_rates",
    "clients",
    "client_contacts",
    "client_billing_settings",
    "contracts",
    "contract_lines",
    "discounts",
    "client_billing_cycles",
    "time_entries",
    "usage_tracking",
)
"""In the order in which they refer to each other."""


def load(dsn: str, folder: Path = DATA) -> dict[str, int]:
    """Load every file of `folder` in one transaction; return how many rows each table got. Blocks.

    The login of `dsn` must be a superuser or a member of jobcore_worker.
    """
    with psycopg.connect(dsn) as connection:
        connection.execute("set local role jobcore_worker")
        return {table: _load_table(connection, table, folder / f"{table}.csv") for table in TABLES}


def _load_table(connection: psycopg.Connection[tuple[object, ...]], table: str, path: Path) -> int:
    # COPY does not go into tables with row-level security, so the rows pass through a temporary one.
    names = {"table": Identifier("billing", table), "staging": Identifier(f"staging_{table}")}
    columns = SQL(", ").join(map(Identifier, _header(path)))
    connection.execute(
        SQL("create temp table {staging} (like {table} including defaults) on commit drop").format(**names)
    )
    copy = SQL("copy {staging} ({columns}) from stdin (format csv, header true)").format(**names, columns=columns)
    with connection.cursor().copy(copy) as stream:
        stream.write(path.read_bytes())
    insert = SQL("insert into {table} ({columns}) select {columns} from {staging}").format(**names, columns=columns)
    return connection.execute(insert).rowcount


def _header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as source:
        return next(csv.reader(source))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: load.py DSN")
    for loaded, count in load(sys.argv[1]).items():
        sys.stdout.write(f"{loaded:28}{count:>6} rows\n")
