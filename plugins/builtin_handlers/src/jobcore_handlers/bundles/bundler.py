"""From invoices to a stored archive of their PDF files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from jobcore import JobContext
from jobcore_handlers import _logs
from jobcore_handlers.bundles.archive import Archive
from jobcore_handlers.bundles.payload import InvoiceZip
from jobcore_handlers.errors import EmptyBundleError, StoredFileMissingError
from jobcore_handlers.files.port import FileStore, StoredFile
from jobcore_handlers.invoice_jobs import describe_invoice
from jobcore_handlers.printing.loader import load_sheet
from jobcore_handlers.printing.renderer import InvoiceRenderer
from jobcore_handlers.statements import Connection, Statements

ZIP_TYPE = "application/zip"
_SHARE_OF_RENDERING = 90
"""Percent of the progress; packing has the rest."""


@dataclass(frozen=True, slots=True)
class PrintedInvoice:
    """An invoice whose file is in the store."""

    invoice_id: UUID
    client_id: UUID
    number: str
    file: StoredFile
    step_name: str

    def as_step_result(self) -> dict[str, Any]:
        return {
            "step": self.step_name,
            "status": "completed",
            "invoiceId": str(self.invoice_id),
            "invoiceNumber": self.number,
            "fileId": str(self.file.file_id),
        }


@dataclass(frozen=True, slots=True)
class Bundle:
    """The archive in the store, and how many invoices are in it."""

    file: StoredFile
    invoices: int


class Bundler:
    """Makes one bundle, for one job. File and document ids follow from the job's id: a retry overwrites, never adds."""

    def __init__(self, ctx: JobContext, data: InvoiceZip, store: FileStore, renderer: InvoiceRenderer) -> None:
        self._ctx = ctx
        self._data = data
        self._store = store
        self._renderer = renderer

    async def print_all(self) -> list[PrintedInvoice]:
        """Print every invoice into the store, each as a step of the job.

        Raises:
            InvoiceNotFoundError: if the tenant lacks one of them.
            FileStoreError: if a file cannot be stored.
        """
        printed: list[PrintedInvoice] = []
        count = len(self._data.invoice_ids)
        for position, invoice_id in enumerate(self._data.invoice_ids):
            self._ctx.signal.raise_if_aborted()
            printed.append(await self._print(position, invoice_id))
            percent = _SHARE_OF_RENDERING * (position + 1) / count
            await self._ctx.progress(percent, f"Invoice {position + 1} of {count}")
        return printed

    async def pack(self, printed: Sequence[PrintedInvoice]) -> Bundle:
        """Store the archive of what was printed; files that are gone from the store are left out.

        Raises:
            EmptyBundleError: if none is left.
            FileStoreError: if the archive cannot be stored.
        """
        # The same for every attempt, so that one that has lost the job stores what is there, under the same name.
        moment = _begin_of(self._ctx.job_id)
        with Archive(moment) as archive:
            for one in printed:
                await self._add(archive, one.file)
            if not archive.count:
                raise EmptyBundleError
            content = await asyncio.to_thread(archive.finish)
            name = f"invoice_bundle_{moment:%Y%m%d%H%M%S}.zip"
            file = await self._store.put(self._ctx.tenant_id, name, content, file_id=self._id("bundle"))
            return Bundle(file, archive.count)

    async def record(self, connection: Connection, bundle: StoredFile, printed: Sequence[PrintedInvoice]) -> UUID:
        """Write the archive's file and document rows; return the document's id."""
        document_id = self._id("document")
        clients = {one.client_id for one in printed}
        await self._save_file(connection, bundle, ZIP_TYPE)
        await Statements("bundles", connection).run(
            "save_document",
            tenant=self._ctx.tenant_id,
            document=document_id,
            name=bundle.name,
            file=bundle.file_id,
            client=clients.pop() if len(clients) == 1 else None,
            user=self._data.requester_id,
            job=self._ctx.job_id,
        )
        return document_id

    async def _print(self, position: int, invoice_id: UUID) -> PrintedInvoice:
        step = self._data.invoice_step(position)
        metadata = describe_invoice(self._ctx.tenant_id, invoice_id)
        await self._ctx.detail(step, "processing", metadata=metadata)
        async with self._ctx.db.transaction() as connection:
            invoice = await load_sheet(connection, self._ctx.tenant_id, invoice_id)
        content = await self._renderer.render(invoice.sheet)
        name = f"{invoice.sheet.number}{self._renderer.extension}"
        stored = await self._store.put(self._ctx.tenant_id, name, content, file_id=self._id(f"invoice/{invoice_id}"))
        async with self._ctx.db.transaction() as connection:
            await self._save_file(connection, stored, self._renderer.mime_type)
        printed = PrintedInvoice(invoice_id, invoice.client_id, invoice.sheet.number, stored, step)
        await self._ctx.detail(step, "completed", result={"file_id": str(stored.file_id)}, metadata=metadata)
        return printed

    async def _add(self, archive: Archive, file: StoredFile) -> None:
        try:
            reader = await self._store.open(file.key)
        except StoredFileMissingError as error:
            _logs.bundle_lacks_file(self._ctx.logger, error)
            return
        with reader:
            await asyncio.to_thread(archive.add, file.name, reader)

    async def _save_file(self, connection: Connection, file: StoredFile, mime_type: str) -> None:
        await Statements("bundles", connection).run(
            "save_file",
            tenant=self._ctx.tenant_id,
            file=file.file_id,
            name=file.name,
            mime_type=mime_type,
            size=file.size,
            sha256=file.sha256,
            key=file.key,
            user=self._data.requester_id,
        )

    def _id(self, what: str) -> UUID:
        return uuid5(self._ctx.job_id, what)


def _begin_of(job_id: UUID) -> datetime:
    """Return when a job was enqueued, as a UUID of version 7 tells; else, where Node made the id, the time now."""
    return datetime.fromtimestamp((job_id.int >> 80) / 1000, UTC) if job_id.version == 7 else datetime.now(UTC)
