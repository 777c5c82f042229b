"""The handler of `asset_import` (J07)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID

import psycopg

from jobcore import JobContext, RetryPolicy, job
from jobcore.errors import JobcoreError
from jobcore_handlers.files.port import FileStore
from jobcore_handlers.imports import logs
from jobcore_handlers.imports.errors import FileChangedError
from jobcore_handlers.imports.importer import ROWS_AT_ONCE, Importer
from jobcore_handlers.imports.limits import ImportLimits
from jobcore_handlers.imports.mapping import ColumnMapping
from jobcore_handlers.imports.payload import AssetImport
from jobcore_handlers.imports.run import ImportJob, ImportRun
from jobcore_handlers.imports.spool import spooled
from jobcore_handlers.imports.table import Row, Table, open_table


@job("asset_import", retry=RetryPolicy(max_attempts=3), timeout=timedelta(minutes=10))
async def asset_import(ctx: JobContext, data: AssetImport) -> dict[str, Any]:
    """Import assets from a file that somebody brought.

    The whole file is checked before its first row is imported. Rows with errors and duplicates are recorded, and the
    others go on. A retry goes on after the last row that was imported; the import's end and the completion of the job
    commit together. Services: `FileStore`, `ImportLimits`.

    Raises:
        ImportRefusedError: if the import cannot be done as it stands; the kind of it says why. Not tried again.
        FileStoreError: if the file cannot be read.
    """
    run = ImportRun(ctx, data)
    try:
        import_job = await run.begin()
        if import_job.status == "completed":
            return import_job.as_result()
        return await _import(ctx, data, run, import_job)
    except (JobcoreError, OSError, psycopg.Error) as error:
        reason = _told(error)
        logs.failed(ctx.logger, data.import_job_id, reason)
        await run.fail(reason)
        raise
    except asyncio.CancelledError:
        await run.fail("It was interrupted, by its time-out or by its worker. A retry of the job goes on from there.")
        raise


async def _import(ctx: JobContext, data: AssetImport, run: ImportRun, import_job: ImportJob) -> dict[str, Any]:
    if import_job.last_row > 1:
        logs.resumed(ctx.logger, data.import_job_id, import_job.last_row)
    limits = ctx.services.get(ImportLimits)
    client, file = await run.target(import_job)
    async with spooled(ctx.services.get(FileStore), file, limits.file_bytes) as content:
        table, header, total = await asyncio.to_thread(_check, content, limits)
        if import_job.last_row > 1 and import_job.total_rows != total:
            raise FileChangedError(import_job.total_rows, total)
        mapping = ColumnMapping(run.context(import_job).field_mapping or import_job.field_mapping or {}, header)
        await run.start(total)
        importer = Importer(
            ctx,
            run,
            mapping,
            client=client,
            source=import_job.import_source_id,
            user=data.user_id,
            likeness=limits.likeness,
        )
        await _import_rows(ctx, importer, table, import_job.last_row, total)
    return await _complete(ctx, run, data.import_job_id)


def _check(content: BinaryIO, limits: ImportLimits) -> tuple[Table, Sequence[str], int]:
    table = open_table(content, limits)
    return table, table.header(), table.count()


async def _import_rows(ctx: JobContext, importer: Importer, table: Table, last_row: int, total: int) -> None:
    rows = (row for row in table.rows() if row.number > last_row)
    with closing(rows):
        while batch := await _next(rows):
            ctx.signal.raise_if_aborted()
            done = await importer.import_rows(batch)
            await ctx.progress(100 * done / total, f"Row {done} of {total}")


async def _next(rows: Iterator[Row]) -> Sequence[Row]:
    reading = asyncio.ensure_future(asyncio.to_thread(lambda: list(islice(rows, ROWS_AT_ONCE))))
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        await asyncio.wait([reading])  # rows can be closed when no thread reads them
        raise


async def _complete(ctx: JobContext, run: ImportRun, import_job: UUID) -> dict[str, Any]:
    async with ctx.db.transaction() as connection:
        result = await run.finish(connection)
        async with ctx.complete_in(connection, result=result):
            pass  # the import is finished already: its counts are the result
    logs.completed(ctx.logger, import_job, result)
    return result


def _told(error: Exception) -> str:
    """Return an error's text; a database's own may quote rows, so of that only the kind is told."""
    if isinstance(error, psycopg.Error):
        return f"The database refused: {type(error).__name__} ({error.sqlstate or 'no code'})."
    return str(error)
