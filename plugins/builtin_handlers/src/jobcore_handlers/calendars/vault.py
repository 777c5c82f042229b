"""Refresh tokens at rest: encrypted, and bound to the provider whose they are."""

from __future__ import annotations

from jobcore_handlers.calendars.errors import GrantError
from jobcore_handlers.calendars.tokens import ProviderKey
from jobcore_handlers.sealing import Seal, SealBrokenError, read_key


class TokenVault:
    """Seals and opens refresh tokens with one key, of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._seal = Seal(key)

    @classmethod
    def from_base64(cls, key: str) -> TokenVault:
        """Raises `ConfigurationError` if the key is none."""
        return cls(read_key(key, "JOBCORE_BUILTIN__CALENDARS__KEY"))

    def seal(self, provider: ProviderKey, token: str) -> bytes:
        """Encrypt a token for the provider's row."""
        return self._seal.encrypt(token, _owner(provider))

    def open(self, provider: ProviderKey, sealed: bytes) -> str:
        """Decrypt what `seal` made for this provider. Raises `GrantError` if it is anything else."""
        try:
            return self._seal.decrypt(sealed, _owner(provider))
        except SealBrokenError:
            raise GrantError(
                f"The refresh token of calendar provider {provider.provider_id} cannot be decrypted: it was sealed "
                "with another key or for another provider. Set the key that sealed it, or connect the calendar again."
            ) from None


def _owner(provider: ProviderKey) -> bytes:
    return b"jobcore calendar" + provider.tenant.bytes + provider.provider_id.bytes
