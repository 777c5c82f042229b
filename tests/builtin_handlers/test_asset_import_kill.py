"""A process that is killed while it imports: wherever it was, each row is imported once in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.imports import Imports, csv_of
from builtin_handlers.killing import die, killed
from builtin_handlers.world import World
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.imports.handler import asset_import
from jobcore_handlers.imports.importer import ROWS_AT_ONCE
from jobcore_handlers.imports.limits import ImportLimits
from jobcore_handlers.imports.payload import AssetImport

ROWS = 250


class KilledAtStatement(AttemptContext):
    """Dies in the middle of its transactions, before the statement of this number is sent."""

    statements_left: int

    @property
    def db(self) -> Any:
        inner, attempt = super().db, self

        class Counting:
            @asynccontextmanager
            async def transaction(self) -> AsyncIterator[Any]:
                async with inner.transaction() as connection:

                    class Cursor(connection.cursor_factory):
                        async def execute(self, *args: Any, **options: Any) -> Any:
                            attempt.die_if_due()
                            return await super().execute(*args, **options)

                        async def executemany(self, *args: Any, **options: Any) -> None:
                            attempt.die_if_due()
                            await super().executemany(*args, **options)

                    connection.cursor_factory = Cursor
                    yield connection

        return Counting()

    def die_if_due(self) -> None:
        self.statements_left -= 1
        if self.statements_left == 0:
            die()


class KilledAfterCompletion(AttemptContext):
    @asynccontextmanager
    async def complete_in(self, connection: Any, *, result: Any = None) -> AsyncIterator[Any]:
        async with super().complete_in(connection, result=result) as opened:
            yield opened
        await connection.execute("commit")
        die()


def run(context: AttemptContext, folder: Path, data: AssetImport, statements: int) -> None:
    context.services.add(DirectoryFileStore(folder), FileStore)
    context.services.add(ImportLimits(), ImportLimits)
    if isinstance(context, KilledAtStatement):
        context.statements_left = statements
    asyncio.run(asset_import(context, data))


def run_in_process(kind: type[AttemptContext], dsn: str, folder: Path, data: AssetImport, statements: int) -> None:
    run(kind(dsn, data.tenant_id), folder, data, statements)  # pyright: ignore[reportArgumentType]


async def run_until_killed(
    kind: type[AttemptContext], dsn: str, folder: Path, data: AssetImport, statements: int = 0
) -> None:
    await killed(run_in_process, kind, dsn, folder, data, statements)


@pytest.fixture
async def prepared(world: World, store: DirectoryFileStore) -> tuple[Imports, AssetImport]:
    """Rows that differ much, every seventh without a name, every tenth again under another one."""
    imports = Imports(world, store)
    rows = ["" if n % 7 == 0 else f"{uuid4()}" for n in range(ROWS)]
    lines = [f"{name},server,S-{n - n % 10 if n % 10 == 9 else n}" for n, name in enumerate(rows)]
    return imports, await imports.prepare(csv_of(*lines))


# Six statements come before the first batch. Each has six: two locks, the look at what there is, what is created, what
# is not, and the counts. Four end the import.
@pytest.mark.parametrize("statement", [6, 11, 12, 17, 27])
async def test_a_kill_at_any_row_imports_none_twice(
    prepared: tuple[Imports, AssetImport], tmp_path: Path, attempt: Callable[..., AttemptContext], statement: int
) -> None:
    imports, data = prepared
    await run_until_killed(KilledAtStatement, imports.world.dsn, tmp_path / "files", data, statement)
    job = imports.job(data)
    assert job["status"] in ("preview", "validating", "processing")
    assert job["processed_rows"] in (0, ROWS_AT_ONCE, ROWS)
    assert len(imports.items(data)) == job["processed_rows"]
    assert len(imports.assets()) == len(imports.mappings()) == job["created_rows"]
    before = imports.items(data)

    context = attempt(imports.world.tenant)
    context.services.add(ImportLimits(), ImportLimits)
    result = await asset_import(context, data)

    assert imports.items(data)[: len(before)] == before
    expected = {"error": sum(n % 7 == 0 for n in range(ROWS))}
    expected["duplicate"] = sum(n % 10 == 9 and n % 7 != 0 and (n - 9) % 7 != 0 for n in range(ROWS))
    expected["created"] = ROWS - sum(expected.values())
    assert {status: [s for _, s in imports.statuses(data)].count(status) for status in expected} == expected
    assert [number for number, _ in imports.statuses(data)] == list(range(2, ROWS + 2))
    assert len(imports.assets()) == len(imports.mappings()) == result["created"] == expected["created"]


async def test_a_kill_after_the_end_leaves_the_import_as_it_is(
    prepared: tuple[Imports, AssetImport], tmp_path: Path, attempt: Callable[..., AttemptContext]
) -> None:
    imports, data = prepared
    await run_until_killed(KilledAfterCompletion, imports.world.dsn, tmp_path / "files", data)
    before = imports.assets(), imports.items(data), imports.job(data)
    assert before[2]["status"] == "completed"
    context = attempt(imports.world.tenant)
    context.services.add(ImportLimits(), ImportLimits)
    assert (await asset_import(context, data))["totalRows"] == ROWS
    assert (imports.assets(), imports.items(data), imports.job(data)) == before
