"""The services of the webhooks as the settings want them."""

from __future__ import annotations

from jobcore.errors import ConfigurationError
from jobcore_handlers.sealing import read_key
from jobcore_handlers.settings import HandlerSettings
from jobcore_handlers.webhooks import logs
from jobcore_handlers.webhooks.delivery import Deliverer
from jobcore_handlers.webhooks.keys import PublishedKeys, read_public_key
from jobcore_handlers.webhooks.secrets import SETTING, SecretVault
from jobcore_handlers.webhooks.signing import WebhookSigner


def deliverer(settings: HandlerSettings) -> Deliverer:
    """Return the sender of webhooks, and warn if it may reach what is not public."""
    if settings.webhook_allow_private:
        logs.guard_is_off()
    return Deliverer(
        allow_http=settings.webhook_allow_http,
        allow_private=settings.webhook_allow_private,
        ports=settings.webhook_ports,
    )


def secret_vault(settings: HandlerSettings) -> SecretVault:
    """Return what keeps the endpoints' secrets. Raises `ConfigurationError` if a key is none."""
    return SecretVault([read_key(key.get_secret_value(), SETTING) for key in settings.webhook_secret_keys])


def signer(settings: HandlerSettings) -> WebhookSigner:
    """Return the signer. Raises `ConfigurationError` if there is no key that can be used. Blocks for the file."""
    if settings.webhook_key is None:
        raise ConfigurationError(
            "Webhooks are signed, and no key is configured: set JOBCORE_BUILTIN__WEBHOOK_KEY to the path of an RSA key "
            "of at least 3072 bits in PEM form (docs/how-to/send-webhooks.md)."
        )
    return WebhookSigner.from_file(settings.webhook_key, settings.webhook_key_id)


def published_keys(settings: HandlerSettings) -> PublishedKeys:
    """Return the public keys: the current one, then those that the settings name beside it. Blocks for the files.

    Raises:
        ConfigurationError: if one cannot be used, or two have one id.
    """
    current = signer(settings)
    if current.key_id in settings.webhook_published_keys:
        raise ConfigurationError(
            f"Two webhook keys have the id {current.key_id!r}: that of JOBCORE_BUILTIN__WEBHOOK_KEY is published "
            "anyway; take it out of JOBCORE_BUILTIN__WEBHOOK_PUBLISHED_KEYS."
        )
    others = {key_id: read_public_key(path) for key_id, path in settings.webhook_published_keys.items()}
    return PublishedKeys({current.key_id: current.public_key, **others})
