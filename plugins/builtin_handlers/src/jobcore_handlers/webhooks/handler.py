"""The handler of `sendWebhook` (B12 to B16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from jobcore import JobContext, RetryPolicy, job
from jobcore.errors import NonRetryableError
from jobcore_handlers.webhooks import logs
from jobcore_handlers.webhooks.delivery import Deliverer, Delivery, DeliveryFailedError
from jobcore_handlers.webhooks.payload import SendWebhook
from jobcore_handlers.webhooks.signing import WebhookSigner
from jobcore_handlers.webhooks.subscriptions import Subscription, Subscriptions

PATIENCE = RetryPolicy(max_attempts=5, initial_interval=timedelta(seconds=5), max_interval=timedelta(minutes=10))


class SubscriptionNotFoundError(NonRetryableError):
    """The subscription was removed after the change."""


@job("sendWebhook", retry=PATIENCE, timeout=timedelta(seconds=30))
async def send_webhook(ctx: JobContext, data: SendWebhook) -> dict[str, int | None]:
    """Tell one subscriber of one change.

    The row of the delivery and the completion of the job commit together. A subscriber may hear of a change twice (if a
    worker dies after the answer came): the message's id is that of the job, the same each time.

    Raises:
        DeliveryFailedError: if the endpoint did not take it; tried again by policy.
        SubscriptionNotFoundError: if there is no such subscription any more.
    """
    subscription = await _find(ctx, data)
    if not subscription.is_enabled:
        logs.skipped(ctx.logger, subscription)
        return {"statusCode": None}
    delivery = await _deliver(ctx, subscription, data)
    if delivery.is_delivered:
        return await _complete(ctx, data, delivery)
    await _record_failure(ctx, data, delivery)
    raise DeliveryFailedError(delivery.error)


async def _find(ctx: JobContext, data: SendWebhook) -> Subscription:
    async with ctx.db.transaction() as connection:
        subscription = await Subscriptions(connection, ctx.tenant_id).get(data.subscription_id)
    if subscription is None:
        raise SubscriptionNotFoundError(f"There is no webhook subscription {data.subscription_id}.")
    return subscription


async def _deliver(ctx: JobContext, subscription: Subscription, data: SendWebhook) -> Delivery:
    body = orjson.dumps(
        {
            "id": str(ctx.job_id),
            "action": data.action,
            "resourceId": data.resource_id,
            "subscriptionId": str(data.subscription_id),
            "data": data.data,
        }
    )
    headers = ctx.services.get(WebhookSigner).headers(ctx.job_id, datetime.now(UTC), body)
    return await ctx.services.get(Deliverer).deliver(subscription.url, body, headers)


async def _complete(ctx: JobContext, data: SendWebhook, delivery: Delivery) -> dict[str, int | None]:
    result = {"statusCode": delivery.status_code}
    async with (
        ctx.db.transaction() as connection,
        ctx.complete_in(connection, result=result),
    ):
        await Subscriptions(connection, ctx.tenant_id).record(ctx, data, delivery)
    return result


async def _record_failure(ctx: JobContext, data: SendWebhook, delivery: Delivery) -> None:
    async with ctx.db.transaction() as connection:
        subscription = await Subscriptions(connection, ctx.tenant_id).record(ctx, data, delivery)
    if subscription is not None and not subscription.is_enabled:
        logs.disabled(ctx.logger, subscription)
