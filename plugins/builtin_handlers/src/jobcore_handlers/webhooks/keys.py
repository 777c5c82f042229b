"""The public keys that receivers need, as a document that an application can serve: JWKS (RFC 7517), or PEM."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from jobcore.errors import ConfigurationError, InputError
from jobcore_handlers.webhooks.signing import require_strong


class PublishedKeys:
    """The keys with which webhooks are, were, or will be signed, by their ids.

    Raises:
        ConfigurationError: if one is too short.
    """

    def __init__(self, keys: Mapping[str, RSAPublicKey]) -> None:
        for key_id, key in keys.items():
            require_strong(key, key_id)
        self.keys = dict(keys)

    def as_jwks(self) -> dict[str, Any]:
        """Return the JSON Web Key Set; `keys_from_jwks` reads it."""
        return {"keys": [_as_jwk(key_id, key) for key_id, key in self.keys.items()]}

    def as_pem(self) -> dict[str, str]:
        """Return the keys in PEM form."""
        return {
            key_id: key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            for key_id, key in self.keys.items()
        }


def read_public_key(path: Path) -> RSAPublicKey:
    """Read a key from a PEM file, which may hold the private one. Raises `ConfigurationError`. Blocks."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The webhook key {path} cannot be read: {error.strerror}.") from error
    try:
        key = load_pem_private_key(pem, password=None) if b"PRIVATE KEY" in pem else load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{path} is not an unencrypted key in PEM form.") from error
    public = key.public_key() if isinstance(key, RSAPrivateKey) else key
    if not isinstance(public, RSAPublicKey):
        raise ConfigurationError(f"{path} is not an RSA key; webhooks are signed with RSA-SHA256.")
    return public


def keys_from_jwks(document: Mapping[str, Any]) -> dict[str, RSAPublicKey]:
    """Return the keys of a sender's JWKS by their ids, for `verify_webhook`.

    Raises:
        InputError: if the document is no set of RSA keys with ids.
    """
    try:
        return {jwk["kid"]: RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
                for jwk in document["keys"] if jwk["kty"] == "RSA"}  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"This is not a JSON Web Key Set of RSA keys: {type(error).__name__}: {error}") from error


def _as_jwk(key_id: str, key: RSAPublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "n": _text(numbers.n), "e": _text(numbers.e)}


def _text(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def _number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
