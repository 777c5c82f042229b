"""The handler of `email.process-queue` (G19)."""

from __future__ import annotations

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers.mailing.claims import TIME_LIMIT
from jobcore_handlers.mailing.payload import ProcessMailQueue
from jobcore_handlers.mailing.queue import MailQueue

# Whatever it leaves, the schedule's next fire finds half a minute later.
ONCE = RetryPolicy(max_attempts=1)


@job("email.process-queue", retry=ONCE, timeout=TIME_LIMIT)
async def process_mail_queue(ctx: JobContext, data: ProcessMailQueue) -> dict[str, int]:
    """Send the mails of the outbox that are due; several runs at once share them.

    A mail that fails does not stop the others: it waits for its next attempt, or is dead. If a worker is killed between
    the server's answer and the mark, the mail is sent again, with the same `Message-ID`. Service: `MailSender`.

    Raises:
        MailServerError: if the server cannot be used; the mails wait, and lose no attempt.
    """
    ended = await MailQueue(ctx, data.batch_size).send_due(data.limit)
    return {"sent": ended["sent"], "deferred": ended["deferred"], "dead": ended["dead"]}
