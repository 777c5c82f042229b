"""From a row's text to an asset: what each field may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from typing import Any

REQUIRED = ("name", "asset_type")
TEXTS = ("name", "asset_type", "serial_number", "asset_tag", "external_id")
DATES = ("purchase_date", "warranty_end_date")
FIELDS = (*TEXTS, "mac_address", "ip_address", *DATES)
"""What a column may be mapped to. `external_id` is the asset's id where it comes from, and no field of the asset."""

TEXT_CHARS = 255

_SEPARATORS = re.compile(r"[:.\- ]")
_MAC = re.compile(r"[0-9a-f]{12}")
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """The fields of an asset as they are stored; a MAC address is `aa:bb:cc:dd:ee:ff`."""

    name: str
    asset_type: str
    serial_number: str | None = None
    asset_tag: str | None = None
    external_id: str | None = None
    mac_address: str | None = None
    ip_address: str | None = None
    purchase_date: date | None = None
    warranty_end_date: date | None = None


@dataclass(slots=True)
class _Checked:
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    problems: list[str] = field(default_factory=list[str])


def asset_of(values: Mapping[str, str]) -> Asset | list[str]:
    """Return the asset that a row describes, or what is wrong with the row; no problem quotes a value.

    Args:
        values: the row's text by field; an empty one counts as absent.
    """
    checked = _Checked()
    for name in FIELDS:
        if text := values.get(name, "").strip():
            _check(checked, name, text)
        elif name in REQUIRED:
            checked.problems.append(f"{name} is missing")
    if checked.problems:
        return checked.problems
    return Asset(**checked.values)


def _check(checked: _Checked, name: str, text: str) -> None:
    try:
        checked.values[name] = _RULES.get(name, _short)(text)
    except ValueError as error:
        checked.problems.append(f"{name} {error}")


def _short(text: str) -> str:
    if len(text) > TEXT_CHARS:
        raise ValueError(f"has more than {TEXT_CHARS} characters")
    return text


def _date(text: str) -> date:
    try:
        return date.fromisoformat(_MIDNIGHT.sub("", text))
    except ValueError:
        raise ValueError("is no date of the form YYYY-MM-DD") from None


def _mac(text: str) -> str:
    digits = _SEPARATORS.sub("", text).lower()
    if not _MAC.fullmatch(digits):
        raise ValueError("is no MAC address of 12 hexadecimal digits")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _ip(text: str) -> str:
    try:
        if "%" not in text:  # the name of one machine's network, which the database does not keep
            return str(ip_address(text))
    except ValueError:
        pass
    raise ValueError("is no IP address")


_RULES = {"mac_address": _mac, "ip_address": _ip, **dict.fromkeys(DATES, _date)}
