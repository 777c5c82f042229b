"""J02 on a real PostgreSQL and a real folder."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore.errors import StaleClaimError
from jobcore_handlers import errors
from jobcore_handlers.bundles import BILLING_READ, InvoiceZip, request_bundle
from jobcore_handlers.bundles.archive import Archive
from jobcore_handlers.bundles.handler import invoice_zip
from jobcore_handlers.files import DirectoryFileStore, FileStore, StoredFile

Attempt = Callable[..., AttemptContext]

DAY = date(2025, 11, 30)
NOON = datetime(2025, 11, 30, 12, tzinfo=UTC)
JOB_AT_NOON = UUID(int=int(NOON.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62)


def add_invoice(world: World, number: str, client: UUID | None = None) -> UUID:
    invoice = uuid4()
    world.add("invoices", invoice_id=invoice, client_id=client or world.client, invoice_number=number, currency="USD",
              invoice_date=DAY, due_date=DAY, subtotal=1234, tax=66, created_by=world.user)  # fmt: skip
    world.add("invoice_charges", invoice_id=invoice, position=1, description="Care: Consulting", quantity=1,
              rate=1234, net_amount=1234, tax_amount=66, tax_percent="5.35", unit="hour")  # fmt: skip
    return invoice


def bundle_of(world: World, *invoices: UUID) -> InvoiceZip:
    return request_bundle(tenant=world.tenant, requester=world.user, permissions={BILLING_READ}, invoice_ids=invoices,
                          job_service_id=str(uuid4()))  # fmt: skip


def open_zip(store: DirectoryFileStore, key: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(store.path_of(key).read_bytes()))


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert invoice_zip.name == "invoice_zip"
    assert invoice_zip.retry.max_attempts == 3
    assert invoice_zip.timeout == timedelta(milliseconds=600_000)


async def test_a_bundle_holds_a_readable_pdf_of_each_invoice(
    world: World, attempt: Attempt, store: DirectoryFileStore
) -> None:
    invoices = [add_invoice(world, f"INV-{n}") for n in (1, 2, 3)]
    context = attempt(world.tenant)
    result = await invoice_zip(context, bundle_of(world, *invoices))
    with open_zip(store, result["storageKey"]) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["INV-1.pdf", "INV-2.pdf", "INV-3.pdf"]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        text = PdfReader(io.BytesIO(archive.read("INV-2.pdf"))).pages[0].extract_text()
    assert "INV-2" in text
    assert "USD 13.00" in text
    assert context.progress_reports[-1] == 90
    assert result["invoiceCount"] == 3


async def test_each_invoice_and_the_archive_are_steps_of_the_job(world: World, attempt: Attempt) -> None:
    context = attempt(world.tenant)
    data = bundle_of(world, add_invoice(world, "INV-1"), add_invoice(world, "INV-2"))
    result = await invoice_zip(context, data)
    assert list(context.details) == ["Process Invoice 1", "Process Invoice 2", "Create ZIP Archive"]
    for reports in context.details.values():
        assert [status for status, _ in reports] == ["processing", "completed"]
    files = [context.details[f"Process Invoice {n}"][-1][1]["file_id"] for n in (1, 2)]
    assert [step["fileId"] for step in result["stepResults"]] == files
    assert context.details["Create ZIP Archive"][-1][1] == {"file_id": result["fileId"]}


async def test_the_bundle_is_the_requesters_document(world: World, attempt: Attempt) -> None:
    context = attempt(world.tenant, job_id=JOB_AT_NOON)
    result = await invoice_zip(context, bundle_of(world, add_invoice(world, "INV-1")))
    (document,) = world.rows("select * from billing.documents")
    (file,) = world.rows("select * from billing.files where file_id = %s", document["file_id"])
    assert (document["created_by"], document["created_by_job"]) == (world.user, context.job_id)
    assert (file["uploaded_by"], file["mime_type"]) == (world.user, "application/zip")
    assert file["original_name"] == "invoice_bundle_20251130120000.zip"
    assert context.completion() == result


async def test_a_bundle_belongs_to_a_client_only_if_all_its_invoices_do(world: World, attempt: Attempt) -> None:
    mine = [add_invoice(world, "INV-1"), add_invoice(world, "INV-2")]
    other = add_invoice(world, "INV-3", world.add_client())
    one = await invoice_zip(attempt(world.tenant), bundle_of(world, *mine))
    two = await invoice_zip(attempt(world.tenant), bundle_of(world, *mine, other))
    clients = {str(row["document_id"]): row["client_id"] for row in world.rows("select * from billing.documents")}
    assert clients[one["documentId"]] == world.client
    assert clients[two["documentId"]] is None


async def test_a_retry_leaves_one_bundle_and_one_document(
    world: World, attempt: Attempt, store: DirectoryFileStore
) -> None:
    job, data = JOB_AT_NOON, bundle_of(world, add_invoice(world, "INV-1"))
    with pytest.raises(StaleClaimError):
        await invoice_zip(attempt(world.tenant, job_id=job, stale=True), data)
    assert world.rows("select from billing.documents") == []
    result = await invoice_zip(attempt(world.tenant, job_id=job), data)
    stored = store.path_of(result["storageKey"]).read_bytes()
    with pytest.raises(StaleClaimError):  # one that lost the job long ago goes on
        await invoice_zip(attempt(world.tenant, job_id=job, stale=True), data)
    assert store.path_of(result["storageKey"]).read_bytes() == stored
    assert len(world.rows("select from billing.documents")) == 1
    assert len(world.rows("select from billing.files")) == 2
    folder = store.path_of(result["storageKey"]).parents[1]
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


async def test_files_that_vanished_are_left_out(world: World, attempt: Attempt, store: DirectoryFileStore) -> None:
    context = attempt(world.tenant)
    context.services.add(Forgetful(store, "INV-1.pdf"), FileStore)
    result = await invoice_zip(context, bundle_of(world, add_invoice(world, "INV-1"), add_invoice(world, "INV-2")))
    with open_zip(store, result["storageKey"]) as archive:
        assert archive.namelist() == ["INV-2.pdf"]
    assert result["invoiceCount"] == 1


# -- refusals and failures ---------------------------------------------------------------------------------------------


async def test_without_a_job_record_there_is_no_bundle(world: World, attempt: Attempt) -> None:
    data = bundle_of(world, add_invoice(world, "INV-1")).model_copy(update={"job_service_id": None})
    with pytest.raises(errors.JobServiceIdMissingError) as caught:
        await invoice_zip(attempt(world.tenant), data)
    assert str(caught.value) == "jobServiceId is required in job data"


async def test_a_bundle_of_which_no_file_is_left_fails_and_so_does_its_step(
    world: World, attempt: Attempt, store: DirectoryFileStore
) -> None:
    context = attempt(world.tenant)
    context.services.add(Forgetful(store, "INV-1.pdf"), FileStore)
    with pytest.raises(errors.BundleFailedError) as caught:
        await invoice_zip(context, bundle_of(world, add_invoice(world, "INV-1")))
    text = "Failed to create invoice bundle: No files were successfully added to the zip"
    assert str(caught.value) == text
    assert isinstance(caught.value.__cause__, errors.EmptyBundleError)
    assert context.details["Create ZIP Archive"][-1] == ("failed", {"error": text})
    assert world.rows("select from billing.documents") == []


async def test_an_invoice_of_another_tenant_cannot_be_bundled(world: World, attempt: Attempt) -> None:
    stranger, invoice = world.add_tenant(), add_invoice(world, "INV-1")
    data = bundle_of(world, invoice).model_copy(update={"tenant_id": stranger})
    context = attempt(stranger)
    with pytest.raises(errors.BundleFailedError, match=f"Failed to create invoice bundle: Invoice {invoice} not found"):
        await invoice_zip(context, data)
    assert [status for status, _ in context.details["Create ZIP Archive"]] == ["failed"]


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ("update billing.clients set name = 'Съешь'", errors.BundleRefusedError, "No font of the renderer has С"),
        ("alter table billing.files add check (mime_type = 'x')", errors.BundleFailedError, "CheckViolation (23514)"),
    ],
)
async def test_a_failure_says_why_without_quoting_rows(
    world: World, attempt: Attempt, change: str, kind: type[Exception], words: str
) -> None:
    invoice = add_invoice(world, "INV-1")
    world.execute(change)
    with pytest.raises(errors.BundleFailedError) as caught:
        await invoice_zip(attempt(world.tenant), bundle_of(world, invoice))
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"Failed to create invoice bundle: {words}")
    assert "INV-1" not in str(caught.value)


def test_only_who_may_read_billing_data_may_ask_for_a_bundle(world: World) -> None:
    with pytest.raises(errors.PermissionMissingError, match="billing:read"):
        request_bundle(tenant=world.tenant, requester=world.user, permissions=set(), invoice_ids=[uuid4()],
                       job_service_id="1")  # fmt: skip


def test_a_bundle_of_no_invoices_is_refused_before_it_is_enqueued(world: World) -> None:
    with pytest.raises(errors.NoInvoicesSelectedError) as caught:
        bundle_of(world)
    assert str(caught.value) == "Select at least one invoice to generate PDFs."


def test_the_payload_has_the_shape_of_the_catalogue(world: World) -> None:
    invoice = uuid4()
    payload = bundle_of(world, invoice, invoice).model_dump(mode="json", by_alias=True)
    tenant = str(world.tenant)
    assert payload["invoiceIds"] == [str(invoice)]
    assert payload["requesterId"] == str(world.user)
    assert payload["steps"] == [
        {"stepName": "Process Invoice 1", "type": "invoice_processing",
         "metadata": {"invoiceId": str(invoice), "tenantId": tenant}},
        {"stepName": "Create ZIP Archive", "type": "zip_creation", "metadata": {"tenantId": tenant}},
    ]  # fmt: skip
    assert payload["metadata"] == {"user_id": str(world.user), "invoice_count": 1, "tenantId": tenant}
    assert InvoiceZip.model_validate(payload).invoice_step(0) == "Process Invoice 1"


def test_an_archive_has_flat_safe_unique_names_whatever_it_is_given() -> None:
    with Archive(datetime(2025, 11, 30, 12, tzinfo=UTC)) as archive:
        for name in ("../../etc/passwd", "a.pdf", "A.PDF", "/abs/b.pdf", "..\\c.pdf", "", "nul"):
            archive.add(name, io.BytesIO(b"content"))
        with zipfile.ZipFile(archive.finish()) as reader:
            names = reader.namelist()
            assert reader.read("a.pdf") == b"content"
    assert names == ["_.._etc_passwd", "a.pdf", "A (2).PDF", "_abs_b.pdf", "_c.pdf", "file", "_nul"]


class Forgetful(FileStore):
    """The store, from which files of one name vanish as soon as they are put."""

    def __init__(self, store: DirectoryFileStore, name: str) -> None:
        self._store = store
        self._name = name

    async def put(self, tenant: UUID, name: str, content: object, *, file_id: UUID | None = None) -> StoredFile:
        stored = await self._store.put(tenant, name, content, file_id=file_id)
        if name == self._name:
            await self._store.delete(stored.key)
        return stored

    async def open(self, key: str) -> object:
        return await self._store.open(key)

    async def delete(self, key: str) -> bool:
        return await self._store.delete(key)

    async def exists(self, key: str) -> bool:
        return await self._store.exists(key)
