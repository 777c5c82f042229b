"""The billing handlers as users meet them: enqueued on an application, run by a worker on either engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from uuid import uuid4

import pytest

from builtin_handlers.world import World
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError
from jobcore.states import JobState
from jobcore_handlers.bundles import BILLING_READ, request_bundle
from jobcore_handlers.bundles.handler import invoice_zip
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.invoicing.handler import generate_invoice


@pytest.fixture
async def app(
    open_app: Callable[..., AbstractAsyncContextManager[JobApp]], store: DirectoryFileStore
) -> AsyncIterator[JobApp]:
    async with open_app(services={FileStore: store}) as app:
        yield app


async def test_a_cycle_is_billed_and_its_invoice_bundled(app: JobApp, world: World, store: DirectoryFileStore) -> None:
    service = world.add_service()
    world.add_line(service)
    world.add_time(service, date(2025, 11, 12), 90)

    billing = await generate_invoice.enqueue(app, world.payload(user_id=world.user))
    billed = await billing.result(timeout=30)

    (invoice,) = world.invoices()
    assert (billed["invoiceId"], billed["total"]) == (str(invoice["invoice_id"]), 18000)
    assert (invoice["created_by"], invoice["created_by_job"]) == (world.user, billing.job_id)
    assert (await billing.status()).status is JobState.COMPLETED

    data = request_bundle(tenant=world.tenant, requester=world.user, permissions=[BILLING_READ],
                          invoice_ids=[invoice["invoice_id"]], job_service_id=str(uuid4()))  # fmt: skip
    bundling = await invoice_zip.enqueue(app, data)
    bundle = await bundling.result(timeout=30)
    assert await store.exists(bundle["storageKey"])
    details = {detail.step_name: detail for detail in await app.details(world.tenant, bundling.job_id)}
    assert {name: detail.status for name, detail in details.items()} == {
        "Process Invoice 1": "completed",
        "Create ZIP Archive": "completed",
    }
    assert details["Create ZIP Archive"].result == {"file_id": bundle["fileId"]}


async def test_a_refusal_fails_the_job_at_once_with_its_text(app: JobApp, world: World) -> None:
    job = await generate_invoice.enqueue(app, world.payload(billing_cycle_id=uuid4()))
    with pytest.raises(JobFailedError, match="Billing cycle not found"):
        await job.result(timeout=30)
    status = await job.status()
    assert (status.status, status.attempt) == (JobState.FAILED, 1)
    assert status.error == "Billing cycle not found"
