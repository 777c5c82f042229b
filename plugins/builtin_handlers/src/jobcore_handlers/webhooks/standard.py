"""The headers of Standard Webhooks (standardwebhooks.com): an HMAC with a secret that only this endpoint has."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from hmac import digest
from secrets import token_bytes
from uuid import UUID

SECRET_PREFIX = "whsec_"  # noqa: S105 - by which a secret is known, and no secret itself


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """What the messages to one endpoint are signed with. Its text never shows it."""

    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> EndpointSecret:
        """Return one of 32 random bytes."""
        return cls(SECRET_PREFIX + b64encode(token_bytes(32)).decode())

    def sign(self, text: bytes) -> str:
        """Return the signature of `text`, with the version that the standard puts before it."""
        key = b64decode(self.secret.removeprefix(SECRET_PREFIX))
        return f"v1,{b64encode(digest(key, text, sha256)).decode()}"


def standard_headers(
    message_id: UUID, sent_at: datetime, body: bytes, secrets: Sequence[EndpointSecret]
) -> dict[str, str]:
    """Return the headers by which an endpoint knows the sender: a signature for each secret, newest first."""
    timestamp = str(int(sent_at.timestamp()))
    text = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(secret.sign(text) for secret in secrets),
    }
