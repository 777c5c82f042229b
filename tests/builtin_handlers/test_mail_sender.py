"""Mail over SMTP, against a real server and its errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from builtin_handlers.mail_server import MailServer, certificate
from jobcore.errors import ConfigurationError, NonRetryableError
from jobcore_handlers.mailing import Attachment, Mail, errors
from jobcore_handlers.mailing.mail import MAX_CONTENT_BYTES, sender_of
from jobcore_handlers.mailing.settings import MailSettings
from jobcore_handlers.mailing.smtp import SmtpMailSender


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer().serve() as server:
        yield server


def mail(**changes: Any) -> Mail:
    values = {"mail_id": uuid4(), "to": "ada@alder.example", "to_name": "Ada Finch", "subject": "Invoice 7",
              "text": "Dear Ada", **changes}  # fmt: skip
    return Mail(**values)


async def test_a_mail_arrives_as_it_was_written(server: MailServer) -> None:
    file = Attachment(name="Rechnung März.pdf", mime_type="application/pdf", content=b"%PDF\r\n.")
    sent = mail(
        subject="Rechnung für März — 日本", text="Grüße\n" + "x" * 2000, html="<p>Grüße</p>", attachments=(file,)
    )
    await SmtpMailSender(server.settings()).send(sent)
    (message,) = server.received
    assert message["Subject"] == "Rechnung für März — 日本"
    assert message["From"] == "Pinewater Billing <billing@pinewater.example>"
    assert message["To"] == "Ada Finch <ada@alder.example>"
    assert message["Message-ID"] == f"<{sent.mail_id}@pinewater.example>"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Grüße", "x" * 2000]
    assert html.get_content().strip() == "<p>Grüße</p>"
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "Rechnung März.pdf"
    assert attachment.get_content() == b"%PDF\r\n."
    assert server.recipients == ["ada@alder.example"]


async def test_the_mails_of_a_session_share_one_connection_and_the_last_closes_it(server: MailServer) -> None:
    sender = SmtpMailSender(server.settings())
    async with sender.session() as one, sender.session() as other:
        await asyncio.gather(*(session.send(mail()) for session in (one, other) for _ in range(5)))
        assert server.connections == 1
    assert len(server.received) == 10
    await sender.send(mail())
    assert server.connections == 2


@pytest.mark.parametrize("line", ["550 5.1.1 <ada@alder.example>: no such user", "554 Ada is not here"])
async def test_a_recipient_who_is_refused_is_refused_for_good_and_stays_unnamed(server: MailServer, line: str) -> None:
    server.replies["ada@alder.example"] = line
    sender = SmtpMailSender(server.settings())
    async with sender.session() as session:
        with pytest.raises(errors.MailRefusedError) as caught:
            await session.send(mail())
        await session.send(mail(to="bo@alder.example"))
    assert isinstance(caught.value, NonRetryableError)
    assert not caught.value.is_passing
    assert line[:3] in str(caught.value)
    assert "Ada" not in str(caught.value)
    assert "ada@" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert server.recipients == ["bo@alder.example"]
    assert server.connections == 1


@pytest.mark.parametrize("reply", ["530 5.7.0 authentication required", "550 5.7.1 billing@pinewater.example: go away"])
async def test_a_sender_who_is_refused_is_no_fault_of_the_mail(server: MailServer, reply: str) -> None:
    server.reply_to_sender = reply
    with pytest.raises(errors.MailSenderRefusedError, match=f"sender: {reply[:9]}. Check EMAIL_FROM") as caught:
        await SmtpMailSender(server.settings()).send(mail())
    assert isinstance(caught.value, errors.MailServerError)
    assert not caught.value.is_passing


@pytest.mark.parametrize(
    ("reply", "error"), [("552 5.3.4 too big", errors.MailRefusedError), ("450 4.7.1 slowly", errors.MailDeferredError)]
)
async def test_what_is_said_to_the_sender_and_means_the_mail_is_its_alone(
    server: MailServer, reply: str, error: type[errors.MailError]
) -> None:
    server.reply_to_sender = reply
    with pytest.raises(error, match=reply[:9]):
        await SmtpMailSender(server.settings()).send(mail())


async def test_a_server_that_is_busy_is_asked_again(server: MailServer) -> None:
    server.replies["ada@alder.example"] = "451 4.7.1 greylisted"
    sender = SmtpMailSender(server.settings())
    with pytest.raises(errors.MailDeferredError, match="451 4.7.1") as caught:
        await sender.send(mail())
    assert caught.value.is_passing
    server.replies.clear()
    server.reply_to_data = "452 4.3.1 disk full"
    with pytest.raises(errors.MailDeferredError, match="452 4.3.1"):
        await sender.send(mail())
    server.reply_to_data = None
    await sender.send(mail())
    assert len(server.received) == 1


async def test_a_mail_whose_content_is_refused_is_refused_for_good(server: MailServer) -> None:
    server.reply_to_data = "552 5.3.4 too big"
    with pytest.raises(errors.MailRefusedError, match="552 5.3.4"):
        await SmtpMailSender(server.settings()).send(mail())


async def test_a_server_that_is_away_fails_every_mail_of_the_session_at_once() -> None:
    async with MailServer().serve() as server:
        settings = server.settings()
    sender = SmtpMailSender(settings)
    async with sender.session() as session:
        with pytest.raises(errors.MailServerError, match="cannot be used") as caught:
            await session.send(mail())
        assert caught.value.is_passing
        server.port = settings.port
        async with server.serve():
            with pytest.raises(errors.MailServerError, match="cannot be used"):
                await session.send(mail())
            await sender.send(mail())  # a session of its own
    assert len(server.received) == 1


@asynccontextmanager
async def answering(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[MailSettings]:
    """A server that speaks as `talk` does."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    reached = MailServer()
    reached.port = server.sockets[0].getsockname()[1]
    try:
        yield reached.settings(smtp_timeout=0.3)
    finally:
        server.close()


async def test_a_server_that_drips_is_given_up_at_the_deadline() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-")
        while not writer.is_closing():
            writer.write(b"x")
            try:
                await asyncio.wait_for(reader.read(1), 0.05)
                break
            except TimeoutError:
                continue
        writer.close()

    async with answering(drip) as settings:
        with pytest.raises(errors.MailServerError, match=r"within 0\.3 seconds"):
            await asyncio.wait_for(SmtpMailSender(settings).send(mail()), 3)


async def test_a_server_that_drips_its_answer_to_the_mail_leaves_its_fate_open() -> None:
    async def take_and_drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        while (line := await reader.readline()) and not line.startswith(b"DATA"):
            writer.write(b"250 OK\r\n")
        writer.write(b"354 go on\r\n")
        while (line := await reader.readline()) and line != b".\r\n":
            pass
        writer.write(b"2")
        await reader.read()
        writer.close()

    async with answering(take_and_drip) as settings:
        with pytest.raises(errors.MailInterruptedError, match=r"within 0\.3 seconds") as caught:
            await asyncio.wait_for(SmtpMailSender(settings).send(mail()), 3)
        assert caught.value.is_passing


async def test_a_connection_that_ends_in_the_middle_is_opened_anew_for_the_next_mail(server: MailServer) -> None:
    sender = SmtpMailSender(server.settings())
    async with sender.session() as session:
        await session.send(mail())
        assert sender._client is not None
        transport = sender._client.transport
        server.on_accepted = transport.abort
        with pytest.raises(errors.MailInterruptedError, match="ended the connection in the middle"):
            await session.send(mail())
        server.on_accepted = lambda: None
        await session.send(mail())
    assert server.connections == 2


async def test_a_wrong_password_is_final_and_is_not_told(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    server = MailServer()
    server.account = (b"billing", b"right-horse")
    async with server.serve(tls=context):
        secure = {"smtp_tls": "starttls", "smtp_ca_file": trusted, "smtp_username": "billing"}
        await SmtpMailSender(server.settings(**secure, smtp_password="right-horse")).send(mail())
        settings = server.settings(**secure, smtp_password="wrong-horse")
        with pytest.raises(errors.MailLoginError, match="did not accept the login: 535") as caught:
            await SmtpMailSender(settings).send(mail())
    assert isinstance(caught.value, NonRetryableError)
    assert "horse" not in f"{caught.value!r} {caught.value.__cause__} {settings!r}"
    assert len(server.received) == 1


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
async def test_a_certificate_is_verified(tmp_path: Path, mode: str) -> None:
    context, trusted = certificate(tmp_path)
    async with MailServer().serve(tls=context, implicit=mode == "implicit") as server:
        await SmtpMailSender(server.settings(smtp_tls=mode, smtp_ca_file=trusted)).send(mail())
        with pytest.raises(errors.MailServerError, match="cannot be used"):
            await SmtpMailSender(server.settings(smtp_tls=mode)).send(mail())
    assert len(server.received) == 1


async def test_a_server_without_tls_gets_no_mail_where_tls_is_asked_for(server: MailServer) -> None:
    with pytest.raises(errors.MailServerError, match=r"offers no TLS .*SMTP_TLS is none"):
        await SmtpMailSender(server.settings(smtp_tls="starttls")).send(mail())
    assert server.received == []


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Invoice\r\nBcc: eve@evil.example"},
        {"subject": "Invoice\nX: y"},
        {"subject": ""},
        {"subject": "x" * 301},
        {"to_name": "Ada\r\nBcc: eve@evil.example"},
        {"to_name": "x" * 201},
        {"to": "ada@alder.example\r\nBcc: eve@evil.example"},
        {"to": "ada@alder.example, eve@evil.example"},
        {"to": "Ada <ada@alder.example>"},
        {"to": "ada"},
        {"to": "@alder.example"},
        {"to": "jörg@alder.example"},
        {"to": ""},
        {"to": f"{'x' * 250}@alder.example"},
        {"attachments": (Attachment(name="a\r\nb", mime_type="application/pdf", content=b""),)},
        {"attachments": (Attachment(name="a", mime_type="application/pdf\r\nX: y", content=b""),)},
        {"text": "x" * MAX_CONTENT_BYTES + "x"},
        {"text": "x\0"},
        {"html": "\ud83d"},
    ],
)
async def test_what_could_forge_a_header_or_is_too_long_is_refused_before_it_leaves(
    server: MailServer, changes: dict[str, Any]
) -> None:
    with pytest.raises(errors.MailContentError) as caught:
        await SmtpMailSender(server.settings()).send(mail(**changes))
    assert not caught.value.is_passing
    assert "ada" not in str(caught.value)
    assert server.connections == 0


async def test_names_with_commas_quotes_and_other_letters_are_one_name(server: MailServer) -> None:
    for name in ('Finch, "Ada" <eve@evil.example>', "Ådá Finchová", ""):
        await SmtpMailSender(server.settings()).send(mail(to_name=name))
        addresses = server.received[-1]["To"].addresses
        assert [(one.display_name, one.addr_spec) for one in addresses] == [(name, "ada@alder.example")]


async def test_a_domain_in_other_letters_is_written_in_ascii(server: MailServer) -> None:
    await SmtpMailSender(server.settings()).send(mail(to="ada@bücher.example"))
    assert server.recipients == ["ada@xn--bcher-kva.example"]


async def test_a_server_that_says_it_is_leaving_is_asked_again_later(server: MailServer) -> None:
    server.replies["ada@alder.example"] = "421 4.3.2 shutting down"
    sender = SmtpMailSender(server.settings())
    async with sender.session() as session:
        with pytest.raises(errors.MailDeferredError, match="421 4.3.2"):
            await session.send(mail())
        await session.send(mail(to="bo@alder.example"))
    assert server.recipients == ["bo@alder.example"]


def test_wrong_settings_are_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for values, reason in [
        ({"smtp_username": "a"}, "set together"),
        ({"smtp_username": "a", "smtp_password": "b", "smtp_tls": "none"}, "not sent in the clear"),
        ({"email_from": "nobody"}, "is not an address"),
        ({"email_from": "a@b.example\nBcc: c@d.example"}, "is not an address"),
        ({"smtp_port": 0}, "greater than or equal to 1"),
    ]:
        with pytest.raises(ValidationError, match=reason):
            MailSettings.model_validate(values)
    with pytest.raises(ConfigurationError, match="JOBCORE_BUILTIN__SMTP_HOST"):
        SmtpMailSender(MailSettings())
    with pytest.raises(ConfigurationError, match="SMTP_CA_FILE"):
        SmtpMailSender(MailSettings(smtp_host="x", smtp_ca_file=tmp_path / "none"))
    assert MailSettings().email_from == "noreply@example.com"
    monkeypatch.setenv("EMAIL_FROM", "Billing <billing@pinewater.example>")
    assert sender_of(MailSettings().email_from).addr_spec == "billing@pinewater.example"


def test_the_port_follows_the_kind_of_encryption() -> None:
    ports = [MailSettings.model_validate({"smtp_tls": mode}).port for mode in ("starttls", "implicit", "none")]
    assert ports == [587, 465, 25]
    assert MailSettings(smtp_port=2525).port == 2525
