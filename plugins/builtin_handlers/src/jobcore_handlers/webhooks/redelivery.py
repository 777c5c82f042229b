"""Sending messages again, as an operator wants it: with the ids that they had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.errors import ConfigurationError, InputError, JobcoreError, JobNotFoundError
from jobcore.ports.context import TenantDatabase
from jobcore.states import JobState
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.webhooks.handler import send_webhook
from jobcore_handlers.webhooks.payload import SendWebhook
from jobcore_handlers.webhooks.subscriptions import Subscriptions

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

MOST_AT_ONCE = 10_000


class EventNotFoundError(JobcoreError, LookupError):
    """The tenant has no such row of `webhook_events`."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__(f"There is no webhook event {event_id}.")


class SubscriptionEndedError(InputError):
    """Nothing is sent to a subscription, so nothing can be sent to it again."""


class Verdict(StrEnum):
    """What became of a message that was to be sent again."""

    ENQUEUED = "enqueued"
    UNDER_WAY = "under way"
    """Its job has not ended: it waits, or tries again by itself."""
    LOST = "lost"
    """Its job was deleted, by retention or by hand, and with it what there was to tell."""


@dataclass(frozen=True, slots=True)
class Redelivery:
    """One message, and the job that sends it."""

    message_id: UUID
    job_id: UUID
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Message:
    message_id: UUID
    subscription_id: UUID
    job_id: UUID
    """The last one that sent it."""


async def redeliver_event(app: JobApp, tenant: UUID, event_id: UUID) -> Redelivery:
    """Send the message of one event again, whether it was delivered or not.

    Raises:
        EventNotFoundError: if the tenant has no such event.
        SubscriptionEndedError: if its subscription has ended; enable it first.
    """
    async with tenant_database(app, tenant).transaction() as connection:
        message = await Statements("webhooks", connection).first(
            "find_message", _Message, tenant=tenant, event_id=event_id
        )
        if message is None:
            raise EventNotFoundError(event_id)
        await _require_open(connection, tenant, message.subscription_id)
    return await _again(app, tenant, message)


async def redeliver_since(
    app: JobApp,
    tenant: UUID,
    subscription_id: UUID,
    since: datetime,
    *,
    delivered_too: bool = False,
    limit: int = 1000,
) -> Sequence[Redelivery]:
    """Send again what a subscription did not take since an instant, the oldest first.

    Args:
        since: when the first attempt that counts was made; with a time zone.
        delivered_too: also what it did take.
        limit: at most so many messages, up to 10,000; call again for more.

    Raises:
        InputError: if the limit is none.
        SubscriptionNotFoundError, SubscriptionEndedError: if nothing is sent to it; enable it first.
    """
    if not 1 <= limit <= MOST_AT_ONCE:
        raise InputError(f"At most {MOST_AT_ONCE:,} messages are sent again at once, and at least 1, not {limit}.")
    async with tenant_database(app, tenant).transaction() as connection:
        await _require_open(connection, tenant, subscription_id)
        messages = await Statements("webhooks", connection).all(
            "list_messages",
            _Message,
            tenant=tenant,
            subscription_id=subscription_id,
            since=since,
            delivered_too=delivered_too,
            lim=limit,
        )
    return [await _again(app, tenant, message) for message in messages]


def tenant_database(app: JobApp, tenant: UUID) -> TenantDatabase:
    """Return the application's database as a tenant sees it. Raises `ConfigurationError` if there is none."""
    database = app.store.tenant_database(tenant)
    if database is None:
        raise ConfigurationError(f"The storage {app.store.storage_type!r} has no database; webhooks need PostgreSQL.")
    return database


async def _require_open(connection: Connection, tenant: UUID, subscription_id: UUID) -> None:
    subscription = await Subscriptions(connection, tenant).get(subscription_id)
    if subscription.has_ended:
        raise SubscriptionEndedError(
            f"Webhook subscription {subscription_id} is disabled ({subscription.disabled_reason}); enable it first: "
            f"jobcore webhooks enable {subscription_id} --tenant {tenant}"
        )


async def _again(app: JobApp, tenant: UUID, message: _Message) -> Redelivery:
    """Queue the message's last job again; a completed one is over, so that another one takes its message up."""
    try:
        record = await app.get_job(tenant, message.job_id)
    except JobNotFoundError:
        return Redelivery(message.message_id, message.job_id, Verdict.LOST)
    match record.status:
        case JobState.FAILED | JobState.CANCELLED:
            queued = await app.retry(tenant, message.job_id)
            return Redelivery(message.message_id, message.job_id, Verdict.ENQUEUED if queued else Verdict.UNDER_WAY)
        case JobState.COMPLETED:
            payload = SendWebhook.model_validate(record.payload).model_copy(update={"message_id": message.message_id})
            handle = await app.enqueue(send_webhook, payload, dedupe_key=f"redelivery-{message.message_id}")
            verdict = Verdict.UNDER_WAY if handle.deduplicated else Verdict.ENQUEUED
            return Redelivery(message.message_id, handle.job_id, verdict)
        case _:
            return Redelivery(message.message_id, message.job_id, Verdict.UNDER_WAY)
