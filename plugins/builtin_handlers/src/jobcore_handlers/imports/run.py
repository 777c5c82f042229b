"""One run of an import: its row in the database, which only the run that began last may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from jobcore import JobContext
from jobcore_handlers.files.keys import own_key
from jobcore_handlers.imports.errors import (
    ImportCancelledError,
    ImportJobNotFoundError,
    ImportRefusedError,
    ImportTakenOverError,
    TargetClientError,
)
from jobcore_handlers.imports.payload import AssetImport, ImportContext
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """A row of `billing.import_jobs`, with what its source says."""

    status: str
    context: dict[str, Any]
    import_source_id: UUID
    last_row: int
    processed_rows: int
    total_rows: int | None
    created_rows: int
    duplicate_rows: int
    error_rows: int
    error_summary: dict[str, Any] | None
    run_job_id: UUID | None
    run_attempt: int | None
    field_mapping: dict[str, str] | None
    default_client_id: UUID | None

    def as_result(self) -> dict[str, Any]:
        return {
            "totalRows": self.total_rows,
            "created": self.created_rows,
            "duplicates": self.duplicate_rows,
            "errors": self.error_rows,
        }


@dataclass(frozen=True, slots=True)
class ImportFile:
    """Where the file of an import is."""

    storage_key: str
    size: int


@dataclass(frozen=True, slots=True)
class _Client:
    client_id: UUID


@dataclass(frozen=True, slots=True)
class _Summary:
    summary: dict[str, Any]


class ImportRun:
    """Reads and writes the import's row. Its `run` is known by the job's id and attempt."""

    def __init__(self, ctx: JobContext, data: AssetImport) -> None:
        self._ctx = ctx
        self._data = data
        self._key = {"tenant": ctx.tenant_id, "import_job": data.import_job_id}
        self._run = {"job": ctx.job_id, "attempt": ctx.attempt}

    @property
    def key(self) -> dict[str, Any]:
        """The import's key, as its statements name it."""
        return self._key

    async def begin(self) -> ImportJob:
        """Take the import over from whichever run had it, unless it is completed; return it as it was.

        Raises:
            ImportRefusedError: if there is none, if it is cancelled, or if its source is not the one of the payload.
        """
        async with self._ctx.db.transaction() as connection:
            statements = Statements("imports", connection)
            job = await self._lock(statements)
            if self._data.import_source_id not in (None, job.import_source_id):
                raise ImportRefusedError(
                    f"Import job {self._data.import_job_id} is of the source {job.import_source_id}, and the payload "
                    f"names {self._data.import_source_id}. Enqueue it with the former, or with none."
                )
            if job.status != "completed":
                await statements.run("begin_import", **self._key, **self._run)
        return job

    async def still_ours(self, statements: Statements) -> ImportJob:
        """Lock the import until the transaction ends.

        Raises:
            ImportTakenOverError: if another run has begun meanwhile.
            ImportCancelledError: if somebody cancelled it.
        """
        job = await self._lock(statements)
        if (job.run_job_id, job.run_attempt) != (self._ctx.job_id, self._ctx.attempt):
            raise ImportTakenOverError(self._data.import_job_id)
        return job

    async def target(self, job: ImportJob) -> tuple[UUID, ImportFile]:
        """Return the client whose assets these will be, and the file.

        Raises:
            TargetClientError: if there is no such client.
            ImportRefusedError: if the tenant has no such file.
            UnsafeFileKeyError: if the file's row points at a file that is not the tenant's.
        """
        context = self.context(job)
        async with self._ctx.db.transaction() as connection:
            statements = Statements("imports", connection)
            client = await statements.first(
                "resolve_client",
                _Client,
                tenant=self._ctx.tenant_id,
                associated=context.associated_client_id,
                default=context.default_client_id or job.default_client_id,
            )
            file = await statements.first(
                "get_file", ImportFile, tenant=self._ctx.tenant_id, file=context.storage_file_id
            )
        if client is None:
            raise TargetClientError
        if file is None:
            raise ImportRefusedError(f"The tenant has no file {context.storage_file_id}; upload it again.")
        own_key(self._ctx.tenant_id, file.storage_key)
        return client.client_id, file

    def context(self, job: ImportJob) -> ImportContext:
        """Return what the import's context says. Raises `ImportRefusedError` if it is not of its form."""
        try:
            return ImportContext.model_validate(job.context)
        except ValidationError as error:
            wrong = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
            raise ImportRefusedError(f"The context of the import is not of its form: {wrong}.") from None

    async def start(self, total: int) -> None:
        """Note how many rows there are; the import is now processing."""
        async with self._ctx.db.transaction() as connection:
            statements = Statements("imports", connection)
            await self.still_ours(statements)
            await statements.run("start_rows", **self._key, total=total)

    async def finish(self, connection: Connection) -> dict[str, Any]:
        """Complete the import within the caller's transaction and return the job's result."""
        statements = Statements("imports", connection)
        job = await self.still_ours(statements)
        summary = await statements.first("summarise_errors", _Summary, **self._key)
        await statements.run("finish_import", **self._key, summary=Jsonb(summary and summary.summary))
        return job.as_result()

    async def fail(self, reason: str) -> None:
        """Mark the import as failed, unless another run has it or it has ended."""
        async with self._ctx.db.transaction() as connection:
            await Statements("imports", connection).run("fail_import", **self._key, **self._run, error=reason)

    async def _lock(self, statements: Statements) -> ImportJob:
        job = await statements.first("lock_import", ImportJob, **self._key)
        if job is None:
            raise ImportJobNotFoundError(self._data.import_job_id)
        if job.status == "cancelled":
            raise ImportCancelledError(self._data.import_job_id)
        return job
