"""The handler of `invoice_zip` (J02)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg

from jobcore import JobContext, RetryPolicy, job
from jobcore.errors import NonRetryableError
from jobcore_handlers import _logs
from jobcore_handlers.bundles.bundler import Bundle, Bundler, PrintedInvoice
from jobcore_handlers.bundles.payload import InvoiceZip
from jobcore_handlers.errors import (
    BillingError,
    BundleError,
    BundleFailedError,
    BundleRefusedError,
    FileStoreError,
    JobServiceIdMissingError,
)
from jobcore_handlers.files.port import FileStore
from jobcore_handlers.isolation import reason_of
from jobcore_handlers.printing.renderer import InvoiceRenderer

_Failure = (BillingError, BundleError, FileStoreError, OSError, psycopg.Error)


@job("invoice_zip", retry=RetryPolicy(max_attempts=3), timeout=timedelta(minutes=10))
async def invoice_zip(ctx: JobContext, data: InvoiceZip) -> dict[str, Any]:
    """Bundle the PDF files of invoices into one archive, stored as a document of the requester.

    The document and the completion of the job commit together. Services: `FileStore`, `InvoiceRenderer`.

    Raises:
        JobServiceIdMissingError: if the payload does not name the job's record.
        BundleFailedError: if the bundle cannot be made; a retry starts it anew and replaces what is there.
        BundleRefusedError: if no retry would help.
    """
    if not data.job_service_id:
        raise JobServiceIdMissingError
    try:
        return await _make(ctx, data)
    except _Failure as error:
        kind = BundleRefusedError if isinstance(error, NonRetryableError) else BundleFailedError
        failure = kind(reason_of(error))
        _logs.bundle_failed(ctx.logger, failure)
        await ctx.detail(data.zip_step, "failed", result={"error": str(failure)})
        raise failure from error


async def _make(ctx: JobContext, data: InvoiceZip) -> dict[str, Any]:
    bundler = Bundler(ctx, data, ctx.services.get(FileStore), ctx.services.get(InvoiceRenderer))
    printed = await bundler.print_all()
    await ctx.detail(data.zip_step, "processing")
    bundle = await bundler.pack(printed)
    await ctx.detail(data.zip_step, "completed", result={"file_id": str(bundle.file.file_id)})
    return await _record_and_complete(ctx, bundler, bundle, printed)


async def _record_and_complete(
    ctx: JobContext, bundler: Bundler, bundle: Bundle, printed: Sequence[PrintedInvoice]
) -> dict[str, Any]:
    async with ctx.db.transaction() as connection:
        document_id = await bundler.record(connection, bundle.file, printed)
        result: dict[str, Any] = {
            "fileId": str(bundle.file.file_id),
            "documentId": str(document_id),
            "fileName": bundle.file.name,
            "storageKey": bundle.file.key,
            "invoiceCount": bundle.invoices,
            "stepResults": [one.as_step_result() for one in printed],
        }
        async with ctx.complete_in(connection, result=result):
            pass  # the document is written already: its id is part of the result
    _logs.bundle_written(ctx.logger, bundle.file.name, bundle.invoices, bundle.file.size)
    return result
