"""What may enter: payload limits, results, names and keys."""

from __future__ import annotations

import json
from collections import namedtuple
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from jobcore.errors import InputError, InvalidHandlerError, PayloadLimitError
from jobcore.limits import (
    PayloadLimits,
    bounded_text,
    check_job_name,
    check_key,
    check_queue_name,
    encode_payload,
    encode_result,
    json_safe,
)

storable_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | storable_text,
    lambda inner: st.lists(inner) | st.dictionaries(storable_text, inner),
    max_leaves=20,
)


@given(st.dictionaries(storable_text, json_values))
def test_what_is_accepted_reads_back_the_same(payload: dict) -> None:
    assert orjson.loads(encode_payload(payload)) == payload


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=10,
    )
)
def test_whatever_is_passed_either_encodes_to_storable_json_or_is_refused(value: object) -> None:
    try:
        encoded = encode_payload(value)
    except PayloadLimitError:
        return
    assert json.loads(encoded) == value
    assert "\\u0000" not in json.dumps(json.loads(encoded))


class Colour(Enum):
    RED = "red"


class Item(BaseModel):
    price: float = 1.5


Point = namedtuple("Point", "x y")


def test_common_python_values_become_json() -> None:
    payload = {
        "id": UUID(int=1),
        "at": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "colour": Colour.RED,
        "item": Item(),
        "pair": (1, 2),
        "point": Point(1, 2),
        "view": MappingProxyType({"a": 1}),
    }
    assert orjson.loads(encode_payload(payload)) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-01-02T03:00:00+00:00",
        "day": "2026-01-02",
        "colour": "red",
        "item": {"price": 1.5},
        "pair": [1, 2],
        "point": [1, 2],
        "view": {"a": 1},
    }


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ("a\x00b", "orders[1].note", "NUL character at position 1"),
        ("\ud800", "orders[1].note", r"lone surrogate U\+D800"),
        (float("nan"), "orders[1].note", "nan"),
        (float("-inf"), "orders[1].note", "-inf"),
        (2**64, "orders[1].note", "outside 64 bits"),
        (-(2**63) - 1, "orders[1].note", "outside 64 bits"),
        ({1: "x"}, "orders[1].note", "key 1, which is not a string"),
        ({"k\x00": "x"}, "orders[1].note", "a key with a NUL"),
        ({1, 2}, "orders[1].note", "type set"),
        (b"x", "orders[1].note", "type bytes"),
        (Decimal("1.5"), "orders[1].note", "type Decimal"),
        (object(), "orders[1].note", "type object"),
        (datetime(2026, 1, 1), "orders[1].note", "without a time zone"),
        (Item(price=float("nan")), "orders[1].note.price", "nan"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_path(value: object, path: str, reason: str) -> None:
    with pytest.raises(PayloadLimitError, match=reason) as caught:
        encode_payload({"orders": [{}, {"note": value}]})
    assert f"at {path} " in str(caught.value)


def test_a_text_that_only_spells_an_escaped_nul_or_null_passes() -> None:
    payload = {"text": "a backslash, then u0000: \\u0000", "null": None}
    assert orjson.loads(encode_payload(payload)) == payload


def test_the_size_is_that_of_the_json_text() -> None:
    limits = PayloadLimits(max_bytes=100)
    assert len(encode_payload("x" * 98, limits)) == 100
    with pytest.raises(PayloadLimitError, match=r"101 bytes as JSON; at most 100"):
        encode_payload("x" * 99, limits)


def nested(levels: int) -> object:
    value: object = "leaf"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("extra", [[], [{}] * 50])
def test_depth_counts_levels_of_nesting_and_not_width(extra: list) -> None:
    encode_payload([nested(31), *extra])
    with pytest.raises(PayloadLimitError, match="nested deeper than 32 levels"):
        encode_payload([nested(32), *extra])


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list = []
    loop.append(loop)
    with pytest.raises(PayloadLimitError, match="nested deeper than 32"):
        encode_payload({"loop": loop})
    wide: list = []
    wide.extend([wide] * 10)
    with pytest.raises(PayloadLimitError, match="more than 100,000 values"):
        encode_payload(wide)


def test_the_number_of_values_is_limited() -> None:
    limits = PayloadLimits(max_nodes=10)
    encode_payload([0] * 9, limits)
    with pytest.raises(PayloadLimitError, match="more than 10 values"):
        encode_payload([0] * 10, limits)
    encode_payload("{,[" * 20, limits)


def test_a_result_that_fits_is_kept_and_none_stays_none() -> None:
    assert json_safe({"total": 12, "item": Item()}) == {"total": 12, "item": {"price": 1.5}}
    assert json_safe(None) is None
    assert encode_result(None) == b"null"


@pytest.mark.parametrize("value", [object(), {"a": b"x"}, "x" * 70_000, float("nan"), "\x00"])
def test_a_result_that_cannot_be_stored_is_replaced_by_the_reason(value: object) -> None:
    result = json_safe(value)
    assert result["type"] == type(value).__qualname__
    assert result["jobcore"].startswith("not stored: The result")


def test_text_is_cut_with_a_note_and_made_storable() -> None:
    assert bounded_text("short", 10) == "short"
    assert bounded_text("a\x00\ud800b", 10) == "a\ufffd\ufffdb"
    cut = bounded_text("x" * 1000, 100)
    assert len(cut) <= 100
    assert cut.startswith("xxx")
    assert "more characters" in cut


@given(st.text(), st.integers(0, 50))
def test_bounded_text_keeps_its_bound_and_is_valid_utf8(text: str, bound: int) -> None:
    cut = bounded_text(text, bound)
    assert len(cut) <= bound
    assert b"\x00" not in cut.encode()


@pytest.mark.parametrize(
    "name", ["generate-invoice", "invoice_zip", "audit.retention", "email/queue", "sendWebhook", "a" * 200]
)
def test_names_of_the_founding_documents_are_accepted(name: str) -> None:
    assert check_job_name(name) == name
    assert check_queue_name(name) == name


@pytest.mark.parametrize("name", ["", None, 5, "a b", "naïve", "x;drop", "a\n", "a\x00", "a" * 201])
def test_names_that_an_engine_cannot_store_are_refused(name: object) -> None:
    with pytest.raises(InvalidHandlerError, match="job"):
        check_job_name(name)
    with pytest.raises(InputError, match="queue"):
        check_queue_name(name)


def test_a_wrong_letter_is_named_with_its_position() -> None:
    with pytest.raises(InputError, match="' ' at position 4"):
        check_job_name("send mail")


def test_keys_are_any_text_that_can_be_stored_and_indexed() -> None:
    assert check_key("dedupe_key", "заказ 7/δ") == "заказ 7/δ"


@pytest.mark.parametrize("key", ["", None, 7, "x" * 513, "a\x00", "\udfff"])
def test_keys_that_cannot_be_stored_are_refused_by_name(key: object) -> None:
    with pytest.raises(InputError, match="dedupe_key"):
        check_key("dedupe_key", key)
