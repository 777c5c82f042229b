"""The payload codec port: how payloads and results are written at rest."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class PayloadCodec(Protocol):
    """Turns JSON text into what is stored, and back. Tenant and job id bind the stored text to its row."""

    def encode(self, plain: bytes, *, tenant: UUID, job_id: UUID) -> bytes:
        """Return the JSON text to store for `plain`. Does not block."""
        ...

    def decode(self, stored: bytes, *, tenant: UUID, job_id: UUID) -> bytes:
        """Return the text that `encode` was given. Raises `PayloadError` if it was altered or the key is missing."""
        ...


class PlainCodec:
    """Stores payloads as they are."""

    def encode(self, plain: bytes, *, tenant: UUID, job_id: UUID) -> bytes:  # noqa: ARG002 - the port's signature
        return plain

    def decode(self, stored: bytes, *, tenant: UUID, job_id: UUID) -> bytes:  # noqa: ARG002 - the port's signature
        return stored
