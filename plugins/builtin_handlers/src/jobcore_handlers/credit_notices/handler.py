"""The handler of `expiring-credits-notification` (J05)."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore import SYSTEM_TENANT, JobContext, RetryPolicy, job
from jobcore_handlers.credit_notices import logs
from jobcore_handlers.credit_notices.due import find_due, find_terms
from jobcore_handlers.credit_notices.errors import ClientsNotTellableError, ClientsNotToldError
from jobcore_handlers.credit_notices.notifier import Failure, Notifier, Told
from jobcore_handlers.credits.clients import find_clients
from jobcore_handlers.credits.payload import ClientCredits
from jobcore_handlers.errors import TenantRequiredError
from jobcore_handlers.mailing.handler import process_mail_queue
from jobcore_handlers.mailing.payload import ProcessMailQueue


@job("expiring-credits-notification", retry=RetryPolicy(max_attempts=3))
async def expiring_credits_notification(ctx: JobContext, data: ClientCredits) -> dict[str, int]:
    """Tell the billing contacts of clients which of their credits expire in as many days as the tenant's settings say.

    The notices go into the outbox of mails, in the transaction that marks each credit as announced at this threshold:
    however often the job runs or is killed, each is announced once. A follow-up job sends the mails.

    Raises:
        TenantRequiredError: if the job is the system's.
        ClientNotFoundError: if the tenant lacks the client that the payload names.
        UnknownTimeZoneError: if the tenant's time zone is none.
        DistantThresholdError: if the settings name more days than anybody looks ahead.
        ClientsNotToldError: if some clients could not be told; the notices of the others are written.
        ClientsNotTellableError: if none of these would be by another attempt, as where there is no template.
    """
    if ctx.tenant_id == SYSTEM_TENANT:
        raise TenantRequiredError("expiring credits notification")
    async with ctx.db.transaction() as connection:
        if data.client_id is not None:
            await find_clients(connection, ctx.tenant_id, data.client_id)
        terms = await find_terms(connection, ctx.tenant_id)
        if terms is None:
            logs.nothing_configured(ctx.logger)
            return Told().as_result()
        due = await find_due(connection, ctx.tenant_id, terms, data.client_id)
    notifier = Notifier(ctx, terms)
    failures = await notifier.tell_all(due)
    # An earlier attempt may have died between its notices and this.
    if notifier.told.mails or ctx.attempt > 1:
        await ctx.enqueue(process_mail_queue, ProcessMailQueue())
    _raise_for(failures, len(due))
    return notifier.told.as_result()


def _raise_for(failures: Sequence[Failure], due: int) -> None:
    if failures:
        kind = ClientsNotToldError if any(failure.is_passing for failure in failures) else ClientsNotTellableError
        raise kind(len(failures), due, failures[0].text)
