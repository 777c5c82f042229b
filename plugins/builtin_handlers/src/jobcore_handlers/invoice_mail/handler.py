"""The handler of `invoice_email` (J03)."""

from __future__ import annotations

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers.errors import JobServiceIdMissingError
from jobcore_handlers.invoice_mail.errors import InvoicesNotSentError, InvoicesRefusedError
from jobcore_handlers.invoice_mail.mailer import InvoiceMailer
from jobcore_handlers.invoice_mail.payload import InvoiceEmail


@job("invoice_email", retry=RetryPolicy(max_attempts=3))
async def invoice_email(ctx: JobContext, data: InvoiceEmail) -> dict[str, int]:
    """Send invoices to their clients, each as a mail with the invoice's file.

    All are tried, whichever fail; a later attempt sends only what was not sent. The mark is written at once after the
    server took the mail: if the worker is killed between the two, the next attempt sends that one mail again, with the
    same `Message-ID`. A mailing that takes longer than a run may goes on in the next one, which costs no attempt.
    Services: `MailSender`, `FileStore`, `InvoiceRenderer`, `InvoiceLinks`.

    Raises:
        JobServiceIdMissingError: if the payload does not name the job's record.
        InvoicesNotSentError: if some were not sent.
        Snooze: if time is short and some were not yet tried.
        InvoicesRefusedError: if some were not sent, and none of these would be by another attempt.
    """
    if not data.job_service_id:
        raise JobServiceIdMissingError
    failures = await InvoiceMailer(ctx, data).send_all()
    if failures:
        kind = InvoicesNotSentError if any(failure.is_passing for failure in failures) else InvoicesRefusedError
        raise kind(len(failures), len(data.invoices), failures[0].text)
    return {"sent": len(data.invoices)}
