"""Signatures of webhooks: RSA-SHA256 over `id.timestamp.body`, with a key id (B13).

A receiver looks up the public key by its id and checks signature and time; `verify_webhook` does both.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from jobcore.errors import ConfigurationError, JobcoreError

ID, TIMESTAMP, SIGNATURE, KEY_ID = "X-Webhook-Id", "X-Webhook-Timestamp", "X-Webhook-Signature", "X-Webhook-Key-Id"
MIN_KEY_BITS = 3072
TOLERANCE = timedelta(minutes=5)


class WebhookVerificationError(JobcoreError):
    """A webhook is not from whom it says, was altered, or is too old."""


class WebhookSigner:
    """Signs webhooks with one private key.

    Args:
        key: at least 3,072 bits.
        key_id: by which receivers find the public key.

    Raises:
        ConfigurationError: if the key is too short.
    """

    def __init__(self, key: RSAPrivateKey, key_id: str) -> None:
        require_strong(key, key_id)
        self._key = key
        self.key_id = key_id

    @classmethod
    def from_file(cls, path: Path, key_id: str) -> WebhookSigner:
        """Read the key from a PEM file. Raises `ConfigurationError` if there is none that can be used. Blocks."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise ConfigurationError(f"The webhook signing key {path} cannot be read: {error.strerror}.") from error
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{path} is not an unencrypted private key in PEM form.") from error
        if not isinstance(key, RSAPrivateKey):
            raise ConfigurationError(f"{path} is not an RSA key; webhooks are signed with RSA-SHA256.")
        return cls(key, key_id)

    @property
    def public_key(self) -> RSAPublicKey:
        return self._key.public_key()

    def headers(self, message_id: UUID, sent_at: datetime, body: bytes) -> dict[str, str]:
        """Return the headers that prove who sent `body`, and when."""
        timestamp = str(int(sent_at.timestamp()))
        signature = self._key.sign(_signed_text(str(message_id), timestamp, body), PKCS1v15(), SHA256())
        return {
            ID: str(message_id),
            TIMESTAMP: timestamp,
            KEY_ID: self.key_id,
            SIGNATURE: b64encode(signature).decode(),
        }


def require_strong(key: RSAPrivateKey | RSAPublicKey, key_id: str) -> None:
    """Raise `ConfigurationError` if a key is too short."""
    if key.key_size < MIN_KEY_BITS:
        raise ConfigurationError(
            f"The webhook signing key {key_id!r} has {key.key_size} bits; at least {MIN_KEY_BITS} are needed. "
            f"Make one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{MIN_KEY_BITS} -out webhook.pem"
        )


def verify_webhook(
    public_keys: Mapping[str, RSAPublicKey],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime | None = None,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Check a webhook as its receiver: by whom, unaltered, and within `tolerance` of now.

    Args:
        public_keys: the sender's keys by id: the current one, and the one before it while it is being replaced.
        headers: of the request; names in any case.

    Raises:
        WebhookVerificationError: with the reason.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp, signature, key_id = (given[name.lower()] for name in (ID, TIMESTAMP, SIGNATURE, KEY_ID))
    except KeyError as error:
        raise WebhookVerificationError(f"The header {error.args[0]} is missing.") from None
    key = public_keys.get(key_id)
    if key is None:
        raise WebhookVerificationError(f"The key {key_id[:80]!r} is unknown; fetch the sender's current keys.")
    if not timestamp.isdigit() or len(timestamp) > 12:
        raise WebhookVerificationError("The timestamp is not a Unix time in seconds.")
    try:
        key.verify(b64decode(signature), _signed_text(message_id, timestamp, body), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):  # what is no Base64, or not even ASCII
        raise WebhookVerificationError("The signature does not match the id, the time and the body.") from None
    age = abs((now or datetime.now(UTC)) - datetime.fromtimestamp(int(timestamp), UTC))
    if age > tolerance:
        raise WebhookVerificationError(f"The webhook is {age} away from now; {tolerance} is the limit.")


def _signed_text(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body
