"""The hook on data changes (B12): called in the transaction that changes the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from jobcore.ports import Enqueuer
from jobcore_handlers.statements import Connection
from jobcore_handlers.webhooks.handler import send_webhook
from jobcore_handlers.webhooks.payload import Action, SendWebhook
from jobcore_handlers.webhooks.subscriptions import Subscriptions


async def announce_change(
    app: Enqueuer,
    connection: Connection,
    tenant: UUID,
    *,
    resource: str,
    action: Action,
    resource_id: str,
    data: Mapping[str, Any],
) -> int:
    """Enqueue one `sendWebhook` for each subscription to this kind of thing; return how many.

    Call it on the connection that makes the change: the webhooks are sent if, and only if, that transaction commits.
    """
    subscriptions = await Subscriptions(connection, tenant).listening_to(resource)
    for subscription in subscriptions:
        payload = SendWebhook(
            tenant_id=tenant,
            subscription_id=subscription.subscription_id,
            action=action,
            resource_id=resource_id,
            data=dict(data),
        )
        await app.enqueue(send_webhook, payload, connection=connection)
    return len(subscriptions)
