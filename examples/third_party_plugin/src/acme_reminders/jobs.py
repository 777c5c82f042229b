"""The job `acme-remind`."""

from acme_reminders.outbox import Outbox
from jobcore import JobContext, JobData, NonRetryableError, job


class Reminder(JobData):
    """Who is reminded of what."""

    client: str
    text: str


@job("acme-remind")
async def remind(ctx: JobContext, data: Reminder) -> str:
    """Remind a client of something."""
    if not data.text.strip():
        raise NonRetryableError(f"The reminder for {data.client} has no text.")
    outbox = ctx.services.get(Outbox)
    await ctx.step("send", outbox.send, data.client, data.text)
    return f"{data.client} was reminded"
