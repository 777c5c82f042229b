"""What the tests of mailing handlers share: their contexts, and attempts in processes that can be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from uuid import UUID

from builtin_handlers.context import AttemptContext
from builtin_handlers.mail_server import MailServer
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.invoice_mail.links import InvoiceLinks, PatternLinks
from jobcore_handlers.mailing import MailSender
from jobcore_handlers.mailing.address import ApplicationAddress
from jobcore_handlers.mailing.settings import MailSettings
from jobcore_handlers.mailing.smtp import SmtpMailSender
from jobcore_handlers.printing import InvoiceRenderer
from jobcore_handlers.printing.pdf import PdfInvoiceRenderer

PAY = "https://pay.pinewater.example/{invoice}"


class EnqueueingContext(AttemptContext):
    """A context that keeps the names of the jobs that it enqueued."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.enqueued: list[str] = []

    async def enqueue(self, job: Any, data: Any, **options: Any) -> None:
        self.enqueued.append(job.name)


def mailing_context(
    dsn: str, tenant: UUID, settings: MailSettings, *, files: Path | None = None, **options: Any
) -> EnqueueingContext:
    context = EnqueueingContext(dsn, tenant, **options)
    context.services.add(SmtpMailSender(settings), MailSender)
    context.services.add(ApplicationAddress("https://app.pinewater.example"), ApplicationAddress)
    if files is not None:
        context.services.add(DirectoryFileStore(files), FileStore)
        context.services.add(PdfInvoiceRenderer(), InvoiceRenderer)
        context.services.add(PatternLinks(PAY, None), InvoiceLinks)
    return context


def _attempt(handler: str, payload: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    asyncio.run(resolve_name(handler)(mailing_context(*arguments, **options), payload))


async def run_until_killed(
    server: MailServer, number: int, handler: str, payload: Any, *arguments: Any, when: str = "taken", **options: Any
) -> None:
    """Run an attempt of the handler `module:name` in a process of its own, and kill it at mail number `number`.

    It dies when the server has `taken` that mail, before it hears of it; or when it has `offered` it only.
    """
    process = multiprocessing.get_context("spawn").Process(target=_attempt, args=(handler, payload, arguments, options))

    def kill_at(received: int) -> None:
        if len(server.received) == received:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)

    if when == "taken":
        server.on_accepted = lambda: kill_at(number)
    else:
        server.on_offered = lambda: kill_at(number - 1)
    process.start()
    await asyncio.to_thread(process.join, 60)
    server.on_accepted = server.on_offered = lambda: None
    assert process.exitcode == -signal.SIGKILL
