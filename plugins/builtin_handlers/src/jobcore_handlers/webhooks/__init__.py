"""Webhooks: telling subscribers of changes, signed, one attempt a row (B12 to B16)."""

from jobcore_handlers.webhooks.keys import PublishedKeys, keys_from_jwks
from jobcore_handlers.webhooks.payload import SendWebhook
from jobcore_handlers.webhooks.signing import WebhookSigner, verify_webhook

__all__ = ["PublishedKeys", "SendWebhook", "WebhookSigner", "keys_from_jwks", "verify_webhook"]
