"""Secrets in keys, texts, connection strings and exceptions."""

from __future__ import annotations

import time
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from jobcore.redaction import HIDDEN, Redactor, describe_exception, hide_dsn, redact, redact_text

SECRET = "hunter2-S3cr3t"


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "db_password", "passwordHash", "PGPASSWORD", "client_secret", "clientSecret", "token",
        "access-token", "accessToken", "csrf_token", "tokens", "Authorization", "Proxy-Authorization", "api_key",
        "apiKey", "X-API-Key", "private_key", "privateKey", "Set-Cookie", "cookies", "aws_secret_access_key",
        "credentials", "pwd", "jwt", "userPin", "connectionString", "sessionId", "signing_key",
    ],
)  # fmt: skip
def test_values_of_secret_keys_are_hidden(key: str) -> None:
    assert redact({key: SECRET, "id": 7}) == {key: HIDDEN, "id": 7}
    assert redact({key: {"deep": SECRET}}) == {key: HIDDEN}
    assert redact({key: 1234}) == {key: HIDDEN}


@pytest.mark.parametrize(
    "key", ["name", "spinner", "tokenizer_name", "monkey", "keyboard", "author", "passenger", "key"]
)
def test_values_of_other_keys_stay(key: str) -> None:
    assert redact({key: "plain"}) == {key: "plain"}


def test_absence_and_flags_under_a_secret_key_stay() -> None:
    assert redact({"password": None, "has_password": True}) == {"password": None, "has_password": True}


def test_redaction_goes_through_all_containers_and_copies_them() -> None:
    payload = OrderedDict(items=[{"password": SECRET}, ("x", f"token={SECRET}")], tags={"a"}, raw=b"12345", at=1.5)
    assert redact(payload) == {
        "items": [{"password": HIDDEN}, ["x", f"token={HIDDEN}"]],
        "tags": ["a"],
        "raw": "[5 bytes]",
        "at": 1.5,
    }
    assert payload["items"][0]["password"] == SECRET


def test_a_user_can_name_more_keys() -> None:
    redactor = Redactor().with_keys(["tax-id", "IBAN"])
    assert redactor.redact({"taxId": "1", "customer_iban": "2", "name": "3"}) == {
        "taxId": HIDDEN,
        "customer_iban": HIDDEN,
        "name": "3",
    }
    assert Redactor().with_keys([""]).redact({"name": "x"}) == {"name": "x"}


def test_depth_cycles_and_width_are_bounded() -> None:
    loop: dict = {"name": "x"}
    loop["self"] = loop
    assert "nested too deep" in str(redact(loop))
    wide: list = []
    wide.extend([wide] * 20)
    began = time.perf_counter()
    redact(wide)
    assert redact(["x"] * 200_000)[-1] == "[left out: too many values]"
    assert time.perf_counter() - began < 5


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"connect to postgresql://bob:{SECRET}@db:5432/x failed",
            f"connect to postgresql://{HIDDEN}@db:5432/x failed",
        ),
        (f"https://{SECRET}@github.com/a", f"https://{HIDDEN}@github.com/a"),
        ("redis://:p@ss@w@h/0", f"redis://{HIDDEN}@h/0"),
        (f"GET /x?token={SECRET}&page=2", f"GET /x?token={HIDDEN}&page=2"),
        (f"host=db password={SECRET} user=x", f"host=db password={HIDDEN} user=x"),
        ("password='it has spaces' x", f"password={HIDDEN} x"),
        (f'{{"apiKey": "{SECRET}", "n": 1}}', f'{{"apiKey": {HIDDEN}, "n": 1}}'),
        (f"{{'db_password': '{SECRET}'}}", f"{{'db_password': {HIDDEN}}}"),
        (r'{"secret":"a\"b","n":1}', f'{{"secret":{HIDDEN},"n":1}}'),
        (f"Authorization: Basic {SECRET}\nHost: x", f"Authorization: {HIDDEN}\nHost: x"),
        (f"cookie: a=b; c={SECRET}", f"cookie: {HIDDEN}"),
        (f"sent Bearer {SECRET}, got 401", f"sent Bearer {HIDDEN}, got 401"),
        (f"jwt {JWT} expired", f"jwt {HIDDEN} expired"),
        (f"key:\n{PEM}\nend", f"key:\n{HIDDEN}\nend"),
        (PEM[:50], HIDDEN),
        ("AKIAIOSFODNN7EXAMPLE is blocked", f"{HIDDEN} is blocked"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", HIDDEN),
        ("sk_live_0123456789abcdef", HIDDEN),
        ("xoxb-123456789012-abcdef", HIDDEN),
    ],
)
def test_texts_that_look_like_secrets_are_hidden(text: str, expected: str) -> None:
    assert redact_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "tenantId is required in job data",
        "No handler registered for job: send-mail",
        "The payload of job 'x' is not valid: password: Field required",
        "see https://example.com/a?b=c and mail bob@example.com",
        "ValueError: 2 + 2 == 5",
        'File "/srv/app/jobs.py", line 3, in run',
    ],
)
def test_ordinary_messages_stay_as_they_are(text: str) -> None:
    assert redact_text(text) == text


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=6, max_size=30),
    st.sampled_from(["password", "api_key", "token"]),
)
def test_redacting_twice_changes_nothing_more(secret: str, key: str) -> None:
    once = redact_text(f"{key}={secret} postgresql://u:{secret}@h/d {{'{key}': '{secret}'}}")
    assert redact_text(once) == once
    assert secret not in once.replace(HIDDEN, "").replace(key, "").replace("postgresql", "")


@pytest.mark.parametrize(
    "unit",
    [
        "a", "://", "://a", "a://a@", "password", "password=", "password='", 'password="\\', "token_", "token-token ",
        "Authorization: ", "bearer ", "bearer aaaaaaaa.", "eyJ", "eyJ-", "eyJaaaaa.", "-",
        "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "ghp_", "xoxb-",
        "input_value=", "input_value=, ", "@", "\\", "'", "api key = ", "cookie:", " ",
    ],
)  # fmt: skip
def test_a_hostile_megabyte_takes_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    redact_text(text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://bob:pw@h:5432/d", f"postgresql://{HIDDEN}@h:5432/d"),
        ("postgresql://bob:p/w@x#y@h/d?sslmode=require", f"postgresql://{HIDDEN}@h/d?sslmode=require"),
        ("postgresql://h/d?user=bob&password=pw", f"postgresql://h/d?user=bob&password={HIDDEN}"),
        ("host=h dbname=d password=pw", f"host=h dbname=d password={HIDDEN}"),
        ("postgresql://h/d", "postgresql://h/d"),
        ("", ""),
    ],
)
def test_a_connection_string_can_be_shown(dsn: str, expected: str) -> None:
    assert hide_dsn(dsn) == expected


def raised(exc: Exception) -> Exception:
    with pytest.raises(type(exc)) as caught:
        raise exc
    return caught.value


class Broken(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class Hostile(Exception):
    @property
    def __notes__(self) -> list[str]:
        raise RuntimeError("no")


def test_an_exception_is_described_by_type_message_and_traceback() -> None:
    described = describe_exception(raised(ValueError(f"cannot log in with password={SECRET}")))
    assert described["type"] == "ValueError"
    assert described["message"] == f"cannot log in with password={HIDDEN}"
    assert "in raised" in described["traceback"]
    assert SECRET not in str(described)
    assert describe_exception(Broken())["type"].endswith("test_redaction.Broken")


def test_local_variables_are_not_in_the_traceback() -> None:
    def handler() -> None:
        data = {"note": "local-" + "value"}
        raise ValueError(len(data))

    with pytest.raises(ValueError) as caught:
        handler()
    assert "local-value" not in describe_exception(caught.value)["traceback"]


def test_causes_notes_and_members_of_groups_are_described_and_redacted() -> None:
    def fail() -> None:
        try:
            raise ConnectionError(f"postgresql://u:{SECRET}@h/d refused")
        except ConnectionError as error:
            error.add_note(f"api_key={SECRET}")
            raise ExceptionGroup("both", [ValueError("first"), KeyError("second")]) from error

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    described = describe_exception(caught.value)
    for part in ["refused", "api_key=", "direct cause", "both", "first", "second"]:
        assert part in described["traceback"]
    assert SECRET not in str(described)


def test_an_exception_whose_own_methods_fail_is_described_all_the_same() -> None:
    described = describe_exception(raised(Broken()))
    assert described["message"] == "(its message cannot be shown: __str__ raised RuntimeError)"
    assert "Broken" in described["traceback"]
    hostile = describe_exception(raised(Hostile("message")))
    assert hostile["message"] == "message"
    assert hostile["traceback"]


def test_a_pydantic_error_keeps_its_fields_and_loses_its_values() -> None:
    class Login(BaseModel):
        pin_code: int

    with pytest.raises(ValidationError) as caught:
        Login.model_validate({"pin_code": SECRET})
    described = describe_exception(caught.value)
    assert "pin_code" in described["message"]
    assert "int_parsing" in described["message"]
    assert SECRET not in str(described)


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    raise ValueError("at the bottom")


def test_long_messages_tracebacks_and_chains_are_bounded_and_storable() -> None:
    with pytest.raises(ValueError) as caught:
        deep(500)
    error = RuntimeError("start " + "\x00\ud800 xyz" * 500_000 + " end")
    error.__cause__ = caught.value
    began = time.process_time()
    described = describe_exception(error, limit=2_000)
    assert time.process_time() - began < 2
    assert described["message"].startswith("start ")
    assert len(described["message"]) <= 500
    assert len(described["traceback"]) <= 2_000
    short = describe_exception(caught.value, limit=400)["traceback"]
    assert "the middle is left out" in short
    assert short.endswith("ValueError: at the bottom\n")
    assert "\x00" not in "".join(described.values()).encode().decode()


@given(st.text(max_size=3000), st.integers(40, 400))
def test_whatever_the_message_the_bounds_hold(text: str, limit: int) -> None:
    described = describe_exception(ValueError(text), limit=limit)
    assert len(described["message"]) <= limit // 4
    assert len(described["traceback"]) <= limit
    assert "\x00" not in "".join(described.values()).encode().decode()


def test_a_long_chain_of_exceptions_is_described_in_bounded_time() -> None:
    error: BaseException = ValueError("first")
    for index in range(2_000):
        following = ValueError(str(index))
        following.__context__ = error
        error = following
    began = time.process_time()
    assert "1999" in describe_exception(error)["traceback"]
    assert time.process_time() - began < 2
