"""The secrets of endpoints at rest: encrypted, if the settings have a key for that, and bound to their subscription."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from jobcore.errors import ConfigurationError, JobcoreError
from jobcore_handlers.sealing import Seal, SealBrokenError
from jobcore_handlers.statements import Statements
from jobcore_handlers.tenancy import SystemDatabase
from jobcore_handlers.webhooks.standard import EndpointSecret

SETTING = "JOBCORE_BUILTIN__WEBHOOK_SECRET_KEYS"
BATCH = 500
_MARK = "sealed"


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A row of `webhook_secrets`; its text never shows the secret."""

    tenant: UUID
    subscription_id: UUID
    created_at: datetime
    secret: str = field(repr=False)
    """As it is, or `sealed:KEY ID:BASE64`."""


class SecretSealedError(JobcoreError):
    """An endpoint's secret is encrypted, and no key that is configured opens it."""

    def __init__(self, kept: KeptSecret, reason: str) -> None:
        super().__init__(
            f"The secret of webhook subscription {kept.subscription_id} cannot be decrypted: {reason}. "
            f"Correct {SETTING}, or give the endpoint a new secret: "
            f"jobcore webhooks rotate-secret {kept.subscription_id} --tenant {kept.tenant} --overlap 0"
        )


class SecretVault:
    """Keeps secrets encrypted with the first of its keys, of 32 bytes each, and opens with any of them.

    Without keys it keeps them as they are. What stands in plain text, because it is older than the keys or was inserted
    by plain SQL, is opened too.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        seals = [Seal(key) for key in keys]
        self._current = seals[0] if seals else None
        self._seals = {seal.key_id: seal for seal in seals}

    @property
    def prefix(self) -> str | None:
        """With what a secret begins that is encrypted with the first key; `None` if there is none."""
        return None if self._current is None else f"{_MARK}:{self._current.key_id}:"

    def keep(self, tenant: UUID, subscription_id: UUID, secret: EndpointSecret) -> str:
        """Return what is stored of a secret."""
        if self._current is None:
            return secret.secret
        sealed = self._current.encrypt(secret.secret, _owner(tenant, subscription_id))
        return f"{self.prefix}{b64encode(sealed).decode()}"

    def open(self, kept: KeptSecret) -> EndpointSecret:
        """Return the secret. Raises `SecretSealedError` if it is encrypted, and cannot be decrypted."""
        mark, _, rest = kept.secret.partition(":")
        if mark != _MARK:
            return EndpointSecret(kept.secret)
        key_id, _, sealed = rest.partition(":")
        seal = self._seals.get(key_id)
        if seal is None:
            raise SecretSealedError(kept, f"its key {key_id[:8]} is not among {', '.join(self._seals) or 'them'}")
        try:
            return EndpointSecret(seal.decrypt(b64decode(sealed), _owner(kept.tenant, kept.subscription_id)))
        except (SealBrokenError, ValueError):
            raise SecretSealedError(kept, "it was altered, or is another subscription's") from None


async def encrypt_secrets(database: SystemDatabase, vault: SecretVault) -> int:
    """Encrypt with the vault's first key what is not, of all tenants, in batches; return how many secrets that were.

    The endpoints notice nothing. It may be interrupted, and run again.

    Raises:
        ConfigurationError: if the vault has no key.
        SecretSealedError: if a secret is encrypted with a key that the vault does not have.
    """
    if vault.prefix is None:
        raise ConfigurationError(
            f"There is no key to encrypt with: set {SETTING} to what this prints: openssl rand -base64 32"
        )
    total, taken = 0, BATCH
    while taken == BATCH:
        taken = await _encrypt_batch(database, vault)
        total += taken
    return total


async def _encrypt_batch(database: SystemDatabase, vault: SecretVault) -> int:
    async with database.transaction() as connection:
        statements = Statements("webhooks", connection)
        found = await statements.all("list_unsealed", KeptSecret, prefix=vault.prefix, batch=BATCH)
        sealed = [
            {
                "tenant": kept.tenant,
                "subscription_id": kept.subscription_id,
                "created_at": kept.created_at,
                "secret": vault.keep(kept.tenant, kept.subscription_id, vault.open(kept)),
            }
            for kept in found
        ]
        if sealed:
            await statements.run_each("seal_secret", sealed)
    return len(found)


def _owner(tenant: UUID, subscription_id: UUID) -> bytes:
    return b"jobcore webhook" + tenant.bytes + subscription_id.bytes
