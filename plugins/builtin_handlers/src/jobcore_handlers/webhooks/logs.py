"""Every line that the webhooks log. Addresses may hold tokens: subscriptions are named by their ids."""

from __future__ import annotations

import logging

from jobcore_handlers.webhooks.breaker import Standing
from jobcore_handlers.webhooks.subscriptions import Subscription

Logger = logging.LoggerAdapter[logging.Logger]


def guard_is_off() -> None:
    logging.getLogger("jobcore.webhooks").warning(
        "Webhooks may be sent to this machine and its networks: JOBCORE_BUILTIN__WEBHOOK_ALLOW_PRIVATE is set"
    )


def not_sent(logger: Logger, subscription: Subscription) -> None:
    logger.warning(
        "Webhook subscription %s is disabled (%s): nothing was sent",
        subscription.subscription_id,
        subscription.disabled_reason,
    )


def changed(logger: Logger, before: Subscription, now: Standing) -> None:
    """Say that a subscription was disabled or enabled; nothing else is worth a line."""
    if before.is_enabled and not now.is_enabled:
        logger.warning("Webhook subscription %s is now disabled: %s", before.subscription_id, now.disabled_reason)
    if now.is_enabled and not before.is_enabled:
        logger.info("Webhook subscription %s is enabled again: its endpoint answers", before.subscription_id)
