"""Every line that the webhooks log. Addresses may hold tokens: subscriptions are named by their ids."""

from __future__ import annotations

import logging

from jobcore_handlers.webhooks.subscriptions import Subscription

Logger = logging.LoggerAdapter[logging.Logger]


def skipped(logger: Logger, subscription: Subscription) -> None:
    logger.info(
        "Webhook subscription %s is disabled (%s): nothing was sent",
        subscription.subscription_id,
        subscription.disabled_reason,
    )


def disabled(logger: Logger, subscription: Subscription) -> None:
    logger.warning(
        "Webhook subscription %s is now disabled: %s", subscription.subscription_id, subscription.disabled_reason
    )
