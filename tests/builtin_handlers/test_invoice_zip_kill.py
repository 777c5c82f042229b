"""A process that is killed while it bundles: whatever was stored by then, one bundle in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.killing import KilledAfterCommit, killed
from builtin_handlers.test_invoice_zip import add_invoice, bundle_of, open_zip
from builtin_handlers.world import World
from jobcore_handlers.bundles import InvoiceZip
from jobcore_handlers.bundles.handler import invoice_zip
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.printing import InvoiceRenderer
from jobcore_handlers.printing.pdf import PdfInvoiceRenderer

COMMITS = 5
"""Of a bundle of two invoices: each is read, and its file is recorded; the bundle comes last, with the completion."""


def bundle(dsn: str, tenant: UUID, job: UUID, payload: InvoiceZip, folder: Path, commits: int) -> None:
    context = KilledAfterCommit(dsn, tenant, job_id=job)
    context.at = commits
    context.services.add(DirectoryFileStore(folder), FileStore)
    context.services.add(PdfInvoiceRenderer(), InvoiceRenderer)
    asyncio.run(invoice_zip(context, payload))


@pytest.mark.parametrize("commits", range(1, COMMITS + 1))
async def test_a_kill_at_any_point_leaves_one_bundle_in_the_end(
    commits: int, world: World, attempt: Callable[..., AttemptContext], store: DirectoryFileStore, tmp_path: Path
) -> None:
    job = uuid4()
    payload = bundle_of(world, add_invoice(world, "INV-1"), add_invoice(world, "INV-2"))
    await killed(bundle, world.dsn, world.tenant, job, payload, tmp_path / "files", commits)
    is_complete = commits == COMMITS
    assert len(world.rows("select from completions")) == is_complete

    if not is_complete:
        await invoice_zip(attempt(world.tenant, job_id=job), payload)
    (document,) = world.rows("select file_id from billing.documents")
    files = world.rows("select file_id, storage_key from billing.files")
    assert len(files) == 3
    assert all([await store.exists(file["storage_key"]) for file in files])
    (key,) = [file["storage_key"] for file in files if file["file_id"] == document["file_id"]]
    with open_zip(store, key) as archive:
        assert archive.namelist() == ["INV-1.pdf", "INV-2.pdf"]
