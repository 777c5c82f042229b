"""Payload codecs as users write them: one that encrypts, in each form that the setting takes, and what is none."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

KEY = AESGCM.generate_key(256)
ENCODING = b"binary/encrypted"


class Sealing(PayloadCodec):
    """Encrypts with a key of this process."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(12)
        sealed = AESGCM(KEY).encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={"encoding": ENCODING}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(AESGCM(KEY).decrypt(payload.data[:12], payload.data[12:], None))


def make() -> PayloadCodec:
    return Sealing()


def without_its_key() -> PayloadCodec:
    raise KeyError("NO_SUCH_KEY")


made = Sealing()
nothing = 7


class Keyed(Sealing):
    """Cannot be made without an argument."""

    def __init__(self, key: bytes) -> None:
        self._key = key
