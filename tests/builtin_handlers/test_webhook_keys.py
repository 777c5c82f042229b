"""The keys that sign webhooks, and their replacement."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from builtin_handlers.webhook_world import KEY
from jobcore.app.facade import JobApp
from jobcore.errors import ConfigurationError, InputError
from jobcore.ids import uuid7
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.webhooks import PublishedKeys, WebhookSigner, keys_from_jwks, verify_webhook
from jobcore_handlers.webhooks.keys import read_public_key

OLD = rsa.generate_private_key(public_exponent=65537, key_size=3072)


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The current key, and the public half of the one before it."""
    (tmp_path / "current.pem").write_bytes(private_pem(KEY))
    (tmp_path / "old.pub.pem").write_bytes(
        OLD.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return tmp_path


def configured(files: Path, **settings: object) -> JobApp:
    own = {"webhook_key": str(files / "current.pem"), "webhook_key_id": "2026-11", **settings}
    return JobApp(quiet_settings(builtin=own, storage="memory", runner="memory"))


def test_what_either_key_signed_verifies_with_the_published_ones(files: Path) -> None:
    app = configured(files, webhook_published_keys={"2026-05": str(files / "old.pub.pem")})
    known = keys_from_jwks(app.services.get(PublishedKeys).as_jwks())
    assert list(known) == ["2026-11", "2026-05"]
    body = b"{}"
    for signer in (app.services.get(WebhookSigner), WebhookSigner(OLD, "2026-05")):
        verify_webhook(known, signer.headers(uuid7(), datetime.now(UTC), body), body)


def test_the_published_keys_hold_nothing_private(files: Path) -> None:
    keys = PublishedKeys({"k": KEY.public_key()})
    (jwk,) = keys.as_jwks()["keys"]
    assert set(jwk) == {"kty", "use", "alg", "kid", "n", "e"}
    assert (jwk["kty"], jwk["use"], jwk["alg"], jwk["kid"], jwk["e"]) == ("RSA", "sig", "RS256", "k", "AQAB")
    assert load_pem_public_key(keys.as_pem()["k"].encode()) == KEY.public_key()
    assert read_public_key(files / "current.pem") == KEY.public_key()


def test_a_key_that_cannot_be_published_is_refused_with_the_reason(files: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (files / "weak.pem").write_bytes(private_pem(weak))
    (files / "curve.pem").write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
    (files / "text.pem").write_text("no key")
    for name, reason in (
        ("weak.pem", "'x' has 2048 bits"),
        ("curve.pem", "is not an RSA key"),
        ("text.pem", "not an unencrypted key"),
        ("none.pem", "cannot be read: No such file"),
    ):
        app = configured(files, webhook_published_keys={"x": str(files / name)})
        with pytest.raises(ConfigurationError, match=reason):
            app.services.get(PublishedKeys)


def test_one_id_names_one_key(files: Path) -> None:
    app = configured(files, webhook_published_keys={"2026-11": str(files / "old.pub.pem")})
    with pytest.raises(ConfigurationError, match="Two webhook keys have the id '2026-11'"):
        app.services.get(PublishedKeys)


@pytest.mark.parametrize("document", [{}, {"keys": [{"kty": "RSA", "kid": "k"}]}, {"keys": 3}])
def test_what_is_no_key_set_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(InputError, match="not a JSON Web Key Set"):
        keys_from_jwks(document)
