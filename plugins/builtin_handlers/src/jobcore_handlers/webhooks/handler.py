"""The handler of `sendWebhook` (B12 to B16)."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from jobcore import Cancel, JobContext, Retry, RetryPolicy, Snooze, job
from jobcore.errors import NonRetryableError
from jobcore_handlers.webhooks import breaker, logs
from jobcore_handlers.webhooks.breaker import Turn
from jobcore_handlers.webhooks.delivery import Deliverer, Delivery, DeliveryFailedError
from jobcore_handlers.webhooks.payload import SendWebhook
from jobcore_handlers.webhooks.secrets import KeptSecret, SecretVault
from jobcore_handlers.webhooks.signing import WebhookSigner
from jobcore_handlers.webhooks.standard import standard_headers
from jobcore_handlers.webhooks.subscriptions import Subscription, Subscriptions

PATIENCE = RetryPolicy(max_attempts=16, initial_interval=timedelta(seconds=5), max_interval=timedelta(minutes=10))
"""With the pauses of the breaker, a message that is alone outlives an outage of twenty hours."""
MAX_SPREAD = timedelta(seconds=30)
"""Those who waited for one endpoint do not all come back at once."""


class EndpointGoneError(NonRetryableError):
    """The endpoint says that it will not come back."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    subscription: Subscription
    turn: Turn
    secrets: tuple[KeptSecret, ...] = ()


@job("sendWebhook", retry=PATIENCE, timeout=breaker.PROBE_TIME)
async def send_webhook(ctx: JobContext, data: SendWebhook) -> dict[str, int | None]:
    """Tell one subscriber of one change.

    The outcome of the delivery and the completion of the job commit together. A subscriber may hear of a change twice
    (if a worker dies after the answer came): the message's id is the same each time. While the subscription is paused
    or disabled the job waits, which costs no attempt. Services: `Deliverer`, `SecretVault`, `WebhookSigner`.

    Raises:
        DeliveryFailedError: if the endpoint did not take it; tried again by policy.
        Retry: the same, where the endpoint said when (429, 503).
        Snooze: if the endpoint is not to be disturbed now.
        Cancel: if nothing is sent to the subscription any more.
        SecretSealedError: if the endpoint's secret is encrypted with a key that is not configured; tried again.
        EndpointGoneError: if the endpoint answered 410; the subscription has ended.
        SubscriptionNotFoundError: if there is no such subscription any more.
    """
    attempt = await _begin(ctx, data)
    if attempt.turn is Turn.WAIT:
        raise Snooze(_spread(attempt.subscription))
    if attempt.turn is Turn.END:
        raise Cancel(f"Webhook subscription {data.subscription_id} is disabled: nothing was sent.")
    delivery = await _deliver(ctx, attempt, data)
    if delivery.is_delivered:
        return await _complete(ctx, attempt, delivery)
    await _record_failure(ctx, attempt, delivery)
    raise _failure(delivery)


async def _begin(ctx: JobContext, data: SendWebhook) -> _Attempt:
    async with ctx.db.transaction() as connection:
        subscriptions = Subscriptions(connection, ctx.tenant_id)
        subscription = await subscriptions.get(data.subscription_id)
        turn = breaker.whose_turn(subscription, subscription.read_at)
        if turn is not Turn.GO:
            subscription = await subscriptions.lock(data.subscription_id)
            turn = breaker.whose_turn(subscription, subscription.read_at)
        match turn:
            case Turn.WAIT:
                return _Attempt(subscription, turn)
            case Turn.END:
                await _record_as_unsent(ctx, subscriptions, data)
                logs.not_sent(ctx.logger, subscription)
                return _Attempt(subscription, turn)
            case Turn.PROBE:
                await subscriptions.save(
                    subscription, breaker.begin_probe(subscription.standing(), subscription.read_at)
                )
            case Turn.GO:
                pass
        await subscriptions.begin_event(ctx, data)
        return _Attempt(subscription, turn, tuple(await subscriptions.secrets(data.subscription_id)))


async def _record_as_unsent(ctx: JobContext, subscriptions: Subscriptions, data: SendWebhook) -> None:
    """Leave a row of what was not sent, so that it can be sent again."""
    await subscriptions.begin_event(ctx, data)
    await subscriptions.finish_event(ctx, Delivery(duration=timedelta(), error="The subscription is disabled."))


async def _deliver(ctx: JobContext, attempt: _Attempt, data: SendWebhook) -> Delivery:
    message_id = data.message_id or ctx.job_id
    body, now = _body(message_id, data), datetime.now(UTC)
    headers = ctx.services.get(WebhookSigner).headers(message_id, now, body)
    vault = ctx.services.get(SecretVault)
    headers |= standard_headers(message_id, now, body, [vault.open(kept) for kept in attempt.secrets])
    return await ctx.services.get(Deliverer).deliver(attempt.subscription.url, body, headers)


def _body(message_id: UUID, data: SendWebhook) -> bytes:
    told = {
        "id": str(message_id),
        "action": data.action,
        "resourceId": data.resource_id,
        "subscriptionId": str(data.subscription_id),
        "data": data.data,
    }
    # Not by orjson: a column of a table may hold a whole number of more than 64 bits.
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


async def _complete(ctx: JobContext, attempt: _Attempt, delivery: Delivery) -> dict[str, int | None]:
    result = {"statusCode": delivery.status_code}
    async with (
        ctx.db.transaction() as connection,
        ctx.complete_in(connection, result=result),
    ):
        await _record(Subscriptions(connection, ctx.tenant_id), ctx, attempt, delivery)
    return result


async def _record_failure(ctx: JobContext, attempt: _Attempt, delivery: Delivery) -> None:
    async with ctx.db.transaction() as connection:
        await _record(Subscriptions(connection, ctx.tenant_id), ctx, attempt, delivery)


async def _record(subscriptions: Subscriptions, ctx: JobContext, attempt: _Attempt, delivery: Delivery) -> None:
    """Write the outcome and what it means for the endpoint; a second record of the same attempt changes nothing."""
    if not await subscriptions.finish_event(ctx, delivery):
        return
    before = await subscriptions.lock(attempt.subscription.subscription_id)
    is_probe = attempt.turn is Turn.PROBE
    now = breaker.judge(before.standing(), delivery, before.read_at, is_probe=is_probe)
    await subscriptions.save(before, now)
    logs.changed(ctx.logger, before, now)


def _failure(delivery: Delivery) -> Exception:
    reason = delivery.error or ""
    if delivery.status_code == breaker.GONE:
        return EndpointGoneError(reason)
    if delivery.retry_after:  # at once would spend the attempts within a second
        return Retry(reason, after=delivery.retry_after)
    return DeliveryFailedError(reason)


def _spread(subscription: Subscription) -> timedelta:
    assert subscription.resume_at is not None  # noqa: S101 - who waits, waits for it
    wait = max(subscription.resume_at - subscription.read_at, timedelta())
    return wait + min(wait / 10, MAX_SPREAD) * random.random()  # noqa: S311 - nothing secret hangs on it
