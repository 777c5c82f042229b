"""Rows are imported many at a time; what becomes of them is what would if each were imported by itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from uuid import uuid4

from builtin_handlers.context import AttemptContext
from builtin_handlers.imports import MAPPING, Imports
from builtin_handlers.world import World
from jobcore_handlers.files import DirectoryFileStore
from jobcore_handlers.imports.importer import ROWS_AT_ONCE, Importer
from jobcore_handlers.imports.mapping import ColumnMapping
from jobcore_handlers.imports.run import ImportRun
from jobcore_handlers.imports.table import Row

NAMES = ("Säge-alpha", "SÄGE-alpha", "säge-alphb", "bohrer-x1", "bohrer-x2", "bohrer-yyyyy", "Ｏdd", "ｏdd", "")
MACS = ("", "", "aabbccddeef0", "AA:BB:CC:DD:EE:F0", "aabbccddeef1")
OUTCOMES = {None, "serial_number", "asset_tag", "mac_address", "hostname", "name"}


def rows_that_are_alike() -> list[Row]:
    """Two names that differ in a letter, with fourteen others between them; then rows that are alike in every way."""
    chance = random.Random(7)
    between = [f"farb{uuid4()}" for _ in range(14)]
    cells = [[name, "tool"] for name in ("fara" + "-" * 24, *between, "farc" + "-" * 24)]
    while len(cells) < ROWS_AT_ONCE:
        name = chance.choice(NAMES) + chance.choice(["", "", f"{len(cells)}" * 4])
        serial_number, asset_tag = chance.choice(["", "", "S-1", "S-2", "T-1"]), chance.choice(["", f"T-{len(name)}"])
        cells.append([name, "tool", serial_number, asset_tag, chance.choice(MACS)])
    return [Row(number, row) for number, row in enumerate(cells, start=2)]


async def outcomes(
    imports: Imports, context: AttemptContext, batches: Sequence[Sequence[Row]]
) -> list[tuple[str, str | None, object, object]]:
    """What became of each row, and of which row it is a duplicate."""
    data = await imports.prepare(b"")
    run = ImportRun(context, data)
    await run.begin()
    mapping = ColumnMapping(MAPPING, list(MAPPING.values()))
    importer = Importer(context, run, mapping, client=imports.world.client, source=imports.source, user=data.user_id,
                        likeness=0.82)  # fmt: skip
    for batch in batches:
        await importer.import_rows(batch)
    items = imports.items(data)
    rows = {item["asset_id"]: item["row_number"] for item in items if item["status"] == "created"}
    return [(item["status"], item["matched_by"], rows.get(item["asset_id"]), item["likeness"]) for item in items]


async def test_a_batch_ends_like_its_rows_one_by_one(
    world: World, store: DirectoryFileStore, attempt: Callable[..., AttemptContext]
) -> None:
    rows = rows_that_are_alike()
    other = World(world.dsn)
    together = await outcomes(Imports(world, store), attempt(world.tenant), [rows])
    one_by_one = await outcomes(Imports(other, store), attempt(other.tenant), [[row] for row in rows])
    assert together == one_by_one
    assert {matched_by for _, matched_by, *_ in together} == OUTCOMES
