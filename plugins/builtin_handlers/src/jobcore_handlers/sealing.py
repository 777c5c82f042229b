"""Texts that are encrypted at rest: AES-256-GCM, each bound to the row that it belongs to."""

from __future__ import annotations

import os
from base64 import b64decode
from binascii import Error as InvalidBase64
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jobcore.errors import ConfigurationError, JobcoreError

_NONCE_BYTES = 12
_KEY_BYTES = 32


class SealBrokenError(JobcoreError):
    """A text was encrypted with another key or for another row, or was altered."""


class Seal:
    """Encrypts and decrypts with one key, of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.key_id = sha256(key).hexdigest()[:8]
        """Tells keys apart, and nothing of them."""

    def encrypt(self, text: str, owner: bytes) -> bytes:
        """Return `text`, readable with this key and for `owner` only."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), owner)

    def decrypt(self, sealed: bytes, owner: bytes) -> str:
        """Return what `encrypt` was given for this owner. Raises `SealBrokenError` if `sealed` is anything else."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, owner).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError("It was encrypted with another key or for another row, or altered.") from error


def read_key(text: str, setting: str) -> bytes:
    """Return the key that a setting holds in Base64. Raises `ConfigurationError`, naming the setting, if it is none."""
    try:
        key = b64decode(text, validate=True)
    except InvalidBase64:
        raise ConfigurationError(f"{setting} is not Base64.") from None
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"{setting} has {len(key)} bytes; {_KEY_BYTES} are needed, written in Base64. "
            f"Make one: openssl rand -base64 {_KEY_BYTES}"
        )
    return key
