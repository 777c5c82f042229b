"""J03 on a real database, a real folder and a real mail server."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader

from builtin_handlers.context import AttemptContext
from builtin_handlers.mail_server import MailServer
from builtin_handlers.mailing import mailing_context, run_until_killed
from builtin_handlers.world import World
from jobcore import Snooze
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError, NonRetryableError
from jobcore.states import JobState
from jobcore_handlers.bundles import BILLING_READ
from jobcore_handlers.errors import JobServiceIdMissingError, PermissionMissingError
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.invoice_mail import InvoiceEmail, InvoiceLinks, errors, request_invoice_emails
from jobcore_handlers.invoice_mail.handler import invoice_email
from jobcore_handlers.invoice_mail.links import PatternLinks
from jobcore_handlers.mailing import MailSender
from jobcore_handlers.mailing.smtp import SmtpMailSender

HANDLER = "jobcore_handlers.invoice_mail.handler:invoice_email"
DAY = date(2025, 11, 30)

Make = Callable[..., AttemptContext]


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer().serve() as server:
        yield server


@pytest.fixture
def make(world: World, server: MailServer, tmp_path: Path) -> Make:
    def context(**options: Any) -> AttemptContext:
        tenant = options.pop("tenant", world.tenant)
        return mailing_context(world.dsn, tenant, server.settings(), files=tmp_path / "files", **options)

    return context


def add_invoice(world: World, number: str, address: str | None = None, **client: Any) -> UUID:
    """An invoice of a client of its own, whose billing address is `address`."""
    invoice = uuid4()
    owner = world.add_client(billing_email=address or f"{number.lower()}@alder.example", **client)
    world.add("invoices", invoice_id=invoice, client_id=owner, invoice_number=number, currency="USD",
              invoice_date=DAY, due_date=DAY, subtotal=1234, tax=66, created_by=world.user)  # fmt: skip
    world.add("invoice_charges", invoice_id=invoice, position=1, description="Care: Consulting", quantity=1,
              rate=1234, net_amount=1234, tax_amount=66, tax_percent="5.35", unit="hour")  # fmt: skip
    return invoice


def client_of(world: World, invoice: UUID) -> UUID:
    return world.rows("select client_id from billing.invoices where invoice_id = %s", invoice)[0]["client_id"]


def mails_of(world: World, *invoices: UUID) -> InvoiceEmail:
    return request_invoice_emails(tenant=world.tenant, requester=world.user, permissions={BILLING_READ},
                                  invoice_ids=invoices, job_service_id=str(uuid4()))  # fmt: skip


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content()


def visible(world: World) -> dict[UUID, bool]:
    rows = world.rows("select invoice_id, is_client_visible from billing.documents")
    return {row["invoice_id"]: row["is_client_visible"] for row in rows}


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert invoice_email.name == "invoice_email"
    assert invoice_email.retry.max_attempts == 3
    assert invoice_email.timeout == timedelta(minutes=10)


async def test_each_client_gets_its_invoice_as_a_readable_file(world: World, server: MailServer, make: Make) -> None:
    invoices = [add_invoice(world, f"INV-{n}", name=f"Client {n}") for n in (1, 2, 3)]
    context = make()
    assert await invoice_email(context, mails_of(world, *invoices)) == {"sent": 3}
    assert server.recipients == [f"inv-{n}@alder.example" for n in (1, 2, 3)]
    for n, message in enumerate(server.received, start=1):
        assert message["Subject"] == f"Invoice INV-{n} from Pinewater"
        (attachment,) = message.iter_attachments()
        assert (attachment.get_filename(), attachment.get_content_type()) == (f"INV-{n}.pdf", "application/pdf")
        page = PdfReader(io.BytesIO(attachment.get_content())).pages[0].extract_text()
        assert f"INV-{n}" in page
        assert "USD 13.00" in page
        assert "over USD 13.00, due on 30 Nov 2025" in text_of(message)
        link = f"https://pay.pinewater.example/{invoices[n - 1]}"
        assert f"Pay online: {link}" in text_of(message)
        assert f'<a href="{link}">Pay online</a>' in text_of(message, "html")
        assert "portal" not in text_of(message)
    assert server.connections == 1
    assert visible(world) == dict.fromkeys(invoices, True)
    assert context.progress_reports[-1] == 100


async def test_each_invoice_has_two_details(world: World, make: Make) -> None:
    context, data = make(), mails_of(world, add_invoice(world, "INV-1"), add_invoice(world, "INV-2"))
    await invoice_email(context, data)
    assert list(context.details) == [step.step_name for step in data.steps]
    assert [step.type for step in data.steps] == ["pdf_generation", "email_sending"] * 2
    for reports in context.details.values():
        assert [status for status, _ in reports] == ["pending", "processing", "completed"]
    (file,) = world.rows("select * from billing.files where original_name = 'INV-1.pdf'")
    assert context.details["Generate PDF 1"][-1][1] == {"file_id": str(file["file_id"])}
    assert file["uploaded_by"] == world.user


# -- to whom -----------------------------------------------------------------------------------------------------------


async def test_the_address_follows_the_order_of_precedence(world: World, server: MailServer, make: Make) -> None:
    invoice = add_invoice(world, "INV-1")
    client, named, marked = client_of(world, invoice), uuid4(), uuid4()
    world.execute("update billing.clients set billing_contact_id = %s", named)
    for contact, name in ((named, "named"), (marked, "marked")):
        world.add("client_contacts", contact_id=contact, client_id=client, name=name, email=f"{name}@x.example",
                  is_billing_contact=name == "marked")  # fmt: skip
    for name, created in (("newer", "2025-02-01"), ("older", "2025-01-01"), ("default", "2024-01-01")):
        world.add("client_locations", client_id=client, name=name, email=f"{name}@x.example", created_at=created,
                  is_billing_address=name != "default", is_default=name == "default")  # fmt: skip

    async def address() -> str:
        await invoice_email(make(), mails_of(world, invoice))
        return server.recipients[-1]

    assert await address() == "named@x.example"
    world.execute("update billing.client_contacts set is_inactive = true where name = 'named'")
    assert await address() == "marked@x.example"
    world.execute("update billing.client_contacts set email = ' ' where name = 'marked'")
    assert await address() == "inv-1@alder.example"
    world.execute("update billing.clients set billing_email = null")
    assert await address() == "older@x.example"
    world.execute("update billing.client_locations set is_active = false where name = 'older'")
    assert await address() == "newer@x.example"
    world.execute("update billing.client_locations set email = null where name = 'newer'")
    assert await address() == "default@x.example"
    world.execute("delete from billing.client_locations")
    with pytest.raises(errors.InvoicesRefusedError, match="No valid email address found for client"):
        await address()


async def test_the_words_are_the_tenants_in_the_clients_language_and_escaped(
    world: World, server: MailServer, make: Make
) -> None:
    add_template = {"name": "invoice-email", "text_body": "Hallo $recipient_name: $amount_due"}
    world.add("mail_templates", locale="de", subject="Rechnung $invoice_number", html_body="<b>$client_name</b>",
              **add_template)  # fmt: skip
    invoices = [add_invoice(world, "INV-1", locale="de-AT", name="<i>Alder</i>"), add_invoice(world, "INV-2")]
    await invoice_email(make(), mails_of(world, *invoices))
    first, second = server.received
    assert first["Subject"] == "Rechnung INV-1"
    assert text_of(first).strip() == "Hallo <i>Alder</i>: USD 13.00"
    assert text_of(first, "html").strip() == "<b>&lt;i&gt;Alder&lt;/i&gt;</b>"
    assert second["Subject"] == "Invoice INV-2 from Pinewater"
    world.execute("update billing.tenants set locale = 'de'")
    await invoice_email(make(), mails_of(world, invoices[1]))
    assert server.received[-1]["Subject"] == "Rechnung INV-2"


async def test_a_mailing_that_takes_longer_than_a_run_may_goes_on_in_the_next_one(
    world: World, server: MailServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobcore_handlers.invoice_mail.mailer.LAST_BEGIN_AFTER", timedelta())
    server.replies = {"inv-1@alder.example": "450 later"}
    data, job = mails_of(world, *(add_invoice(world, f"INV-{n}") for n in (1, 2, 3))), uuid4()
    for sent in (["inv-2@alder.example"], ["inv-2@alder.example", "inv-3@alder.example"]):
        with pytest.raises(Snooze if len(sent) == 1 else errors.InvoicesNotSentError):
            await invoice_email(make(job_id=job), data)
        assert server.recipients == sent
    assert invoice_email.timeout is not None
    assert timedelta(minutes=8) < invoice_email.timeout


# -- failures ----------------------------------------------------------------------------------------------------------


async def test_one_refused_recipient_stops_nobody_and_a_retry_sends_only_what_was_not_sent(
    world: World, server: MailServer, make: Make
) -> None:
    invoices = [add_invoice(world, f"INV-{n}") for n in (1, 2, 3)]
    server.replies = {"inv-2@alder.example": "550 5.1.1 <inv-2@alder.example> unknown"}
    data, job = mails_of(world, *invoices), uuid4()
    context = make(job_id=job)
    with pytest.raises(errors.InvoicesRefusedError, match="1 of 3 invoices were not sent") as caught:
        await invoice_email(context, data)
    assert isinstance(caught.value, NonRetryableError)
    assert server.recipients == ["inv-1@alder.example", "inv-3@alder.example"]
    assert visible(world) == {invoices[0]: True, invoices[1]: False, invoices[2]: True}
    for step in ("Generate PDF 2", "Send Email 2"):
        status, result = context.details[step][-1]
        assert status == "failed"
        assert result["error"].startswith(
            f"Failed to process Invoice #INV-2 for client {client_of(world, invoices[1])}: "
            "Failed to send invoice email: The mail server refused the mail for good: 550 5.1.1."
        )
    assert context.details["Send Email 3"][-1][0] == "completed"

    server.replies.clear()
    again = make(job_id=job)
    assert await invoice_email(again, data) == {"sent": 3}
    assert server.recipients == ["inv-1@alder.example", "inv-3@alder.example", "inv-2@alder.example"]
    assert visible(world) == dict.fromkeys(invoices, True)
    assert [status for status, _ in again.details["Send Email 1"]] == ["completed"]


async def test_a_passing_failure_makes_the_job_worth_another_attempt(
    world: World, server: MailServer, make: Make
) -> None:
    server.replies = {"inv-1@alder.example": "550 no", "inv-2@alder.example": "450 later"}
    data = mails_of(world, *(add_invoice(world, f"INV-{n}") for n in (1, 2, 3)))
    with pytest.raises(errors.InvoicesNotSentError, match="2 of 3") as caught:
        await invoice_email(make(), data)
    assert not isinstance(caught.value, NonRetryableError)
    assert server.recipients == ["inv-3@alder.example"]


async def test_a_server_that_is_away_fails_every_invoice_and_can_be_tried_again(
    world: World, server: MailServer, tmp_path: Path
) -> None:
    data = mails_of(world, *(add_invoice(world, f"INV-{n}") for n in (1, 2)))
    context = mailing_context(world.dsn, world.tenant, server.settings(smtp_port=1), files=tmp_path / "files")
    with pytest.raises(errors.InvoicesNotSentError, match="2 of 2") as caught:
        await invoice_email(context, data)
    assert not isinstance(caught.value, NonRetryableError)


async def test_an_invoice_that_is_not_there_or_a_name_that_forges_a_header_stops_nobody(
    world: World, server: MailServer, make: Make
) -> None:
    forged = add_invoice(world, "INV-1", name="Ada\r\nBcc: eve@evil.example")
    data = mails_of(world, uuid4(), forged, add_invoice(world, "INV-2"))
    with pytest.raises(errors.InvoicesRefusedError, match="2 of 3"):
        await invoice_email(make(), data)
    assert server.recipients == ["inv-2@alder.example"]


async def test_a_link_that_fails_is_left_out_and_the_mail_goes(
    world: World, server: MailServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(InvoiceLinks):
        async def payment_link(self, tenant: UUID, invoice_id: UUID) -> str | None:
            raise KeyError("the secret of the provider")

        async def portal_link(self, tenant: UUID, invoice_id: UUID) -> str | None:
            return "javascript:alert(1)"

    context = make()
    context.services.add(Failing(), InvoiceLinks)
    caplog.set_level(logging.DEBUG, "jobcore.test")
    await invoice_email(context, mails_of(world, add_invoice(world, "INV-1")))
    html = text_of(server.received[0], "html")
    assert "href" not in html
    assert "javascript" not in html
    assert [record.levelname for record in caplog.records if "link" in record.getMessage()] == ["WARNING"] * 2
    assert "secret" not in caplog.text


async def test_a_document_that_cannot_be_shown_is_a_warning_only(
    world: World, server: MailServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    world.execute("alter table billing.documents add constraint hidden check (not is_client_visible)")
    caplog.set_level(logging.WARNING, "jobcore.test")
    assert await invoice_email(make(), mails_of(world, add_invoice(world, "INV-1"))) == {"sent": 1}
    assert "not yet visible to the client: CheckViolation" in caplog.text
    assert len(server.received) == 1


async def test_nothing_personal_is_logged_or_stored(
    world: World, server: MailServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.replies = {"ada.secret@alder.example": "550 5.1.1 ada.secret@alder.example is Ada Finch"}
    data = mails_of(world, add_invoice(world, "INV-1", "ada.secret@alder.example", name="Ada Finch"),
                    add_invoice(world, "INV-2", "bo.secret@alder.example", name="Bo Finch"))  # fmt: skip
    context = make()
    with pytest.raises(errors.InvoicesRefusedError) as caught:
        await invoice_email(context, data)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("jobcore")]
    told = f"{ours} {context.details} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "INV-1" in told
    for personal in ("secret", "Finch", "@"):
        assert personal not in told


# -- killed ------------------------------------------------------------------------------------------------------------


async def test_a_kill_after_the_server_took_a_mail_doubles_that_mail_only_and_recognisably(
    world: World, server: MailServer, make: Make, tmp_path: Path
) -> None:
    invoices = [add_invoice(world, f"INV-{n}") for n in (1, 2, 3)]
    data, job = mails_of(world, *invoices), uuid4()
    await run_until_killed(server, 2, HANDLER, data, world.dsn, world.tenant, server.settings(),
                              files=tmp_path / "files", job_id=job)  # fmt: skip
    assert server.recipients == ["inv-1@alder.example", "inv-2@alder.example"]
    assert len(world.rows("select from billing.invoice_mails")) == 1

    assert await invoice_email(make(job_id=job), data) == {"sent": 3}
    assert [len(server.sent_to(f"inv-{n}@alder.example")) for n in (1, 2, 3)] == [1, 2, 1]
    assert sorted(server.message_ids.values()) == [1, 1, 2]
    assert visible(world) == dict.fromkeys(invoices, True)
    assert len(world.rows("select from billing.documents")) == len(world.rows("select from billing.files")) == 3


async def test_a_kill_between_two_invoices_doubles_none(
    world: World, server: MailServer, make: Make, tmp_path: Path
) -> None:
    data, job = mails_of(world, *(add_invoice(world, f"INV-{n}") for n in (1, 2, 3))), uuid4()
    await run_until_killed(server, 2, HANDLER, data, world.dsn, world.tenant, server.settings(),
                              files=tmp_path / "files", job_id=job, when="offered")  # fmt: skip
    assert server.recipients == ["inv-1@alder.example"]
    assert await invoice_email(make(job_id=job), data) == {"sent": 3}
    assert server.recipients == [f"inv-{n}@alder.example" for n in (1, 2, 3)]
    assert set(server.message_ids.values()) == {1}


# -- asking for it -----------------------------------------------------------------------------------------------------


def test_only_who_may_read_billing_data_may_have_invoices_sent(world: World) -> None:
    with pytest.raises(PermissionMissingError, match="billing:read"):
        request_invoice_emails(tenant=world.tenant, requester=world.user, permissions=set(), invoice_ids=[uuid4()],
                               job_service_id="1")  # fmt: skip
    with pytest.raises(errors.NoInvoicesToSendError, match="Select at least one invoice to send"):
        mails_of(world)


async def test_without_a_job_record_nothing_is_sent(world: World, server: MailServer, make: Make) -> None:
    data = mails_of(world, add_invoice(world, "INV-1")).model_copy(update={"job_service_id": None})
    with pytest.raises(JobServiceIdMissingError, match="jobServiceId is required in job data"):
        await invoice_email(make(), data)
    assert server.received == []


def test_the_payload_has_the_shape_of_the_catalogue(world: World) -> None:
    invoice, tenant = uuid4(), str(world.tenant)
    payload = mails_of(world, invoice, invoice).model_dump(mode="json", by_alias=True)
    assert payload["invoiceIds"] == [str(invoice)]
    metadata = {"invoiceId": str(invoice), "tenantId": tenant}
    assert payload["steps"] == [
        {"stepName": "Generate PDF 1", "type": "pdf_generation", "metadata": metadata},
        {"stepName": "Send Email 1", "type": "email_sending", "metadata": metadata},
    ]
    assert payload["metadata"] == {"user_id": str(world.user), "invoice_count": 1, "tenantId": tenant}
    bare = InvoiceEmail.model_validate({"tenantId": tenant, "invoiceIds": [str(invoice)]})
    assert (bare.pdf_step(0), bare.mail_step(0)) == ("Generate PDF 1", "Send Email 1")


async def test_an_invoice_of_another_tenant_is_not_sent(world: World, server: MailServer, make: Make) -> None:
    invoice = add_invoice(world, "INV-1")
    with pytest.raises(errors.InvoicesRefusedError, match=f"Invoice {invoice} not found"):
        await invoice_email(make(tenant=world.add_tenant()), mails_of(world, invoice))
    assert server.received == []


# -- on either engine --------------------------------------------------------------------------------------------------


async def test_a_job_on_either_engine_sends_what_it_can_and_a_retry_by_hand_the_rest(
    open_app: Callable[..., AbstractAsyncContextManager[JobApp]],
    world: World,
    server: MailServer,
    store: DirectoryFileStore,
) -> None:
    invoices = [add_invoice(world, f"INV-{n}") for n in (1, 2)]
    server.replies = {"inv-1@alder.example": "550 5.1.1 unknown"}
    services = {FileStore: store, MailSender: SmtpMailSender(server.settings()),
                InvoiceLinks: PatternLinks(None, None)}  # fmt: skip
    async with open_app(services=services) as app:
        job = await invoice_email.enqueue(app, mails_of(world, *invoices))
        with pytest.raises(JobFailedError, match="1 of 2 invoices were not sent"):
            await job.result(timeout=30)
        status = await job.status()
        assert (status.status, status.attempt) == (JobState.FAILED, 1)
        details = {detail.step_name: detail.status for detail in await app.details(world.tenant, job.job_id)}
        assert {name: status for name, status in details.items() if name.startswith(("Generate", "Send"))} == {
            "Generate PDF 1": "failed",
            "Send Email 1": "failed",
            "Generate PDF 2": "completed",
            "Send Email 2": "completed",
        }
        stored = str(world.rows("select * from jobs") + world.rows("select * from job_details"))
        assert "550 5.1.1" in stored
        assert "alder.example" not in stored

        server.replies.clear()
        await app.retry(world.tenant, job.job_id)
        assert await job.result(timeout=30) == {"sent": 2}
    assert server.recipients == ["inv-2@alder.example", "inv-1@alder.example"]
    (attachment,) = server.received[0].iter_attachments()
    (file,) = world.rows("select storage_key from billing.files where original_name = 'INV-2.pdf'")
    assert store.path_of(file["storage_key"]).read_bytes() == attachment.get_content()
