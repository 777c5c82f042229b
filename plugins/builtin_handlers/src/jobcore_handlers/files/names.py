"""File names that are safe on every system: flat, short, and never special."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

MAX_BYTES = 150
"""The longest name given out, in bytes of UTF-8; file systems take 255, and a temporary suffix needs room."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10))}


def safe_name(name: str, fallback: str = "file") -> str:
    """Return `name` as one path component: separators, controls and direction marks become `_`.

    Leading and trailing dots and spaces go, names of Windows devices get a `_` in front, and a name that is too long is
    shortened before its extension. A name of which nothing is left becomes `fallback`.
    """
    flat = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip(". ")
    if not flat.strip("_ "):
        flat = fallback
    if flat.partition(".")[0].rstrip().lower() in _DEVICES:
        flat = f"_{flat}"
    return _shortened(flat)


def unique_name(name: str, taken: Container[str]) -> str:
    """Return `name`, or `name (2)`, `name (3)` and so on before its extension if it is among `taken`.

    `taken` holds names in lower case: some systems do not tell `A.pdf` from `a.pdf`.
    """
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    candidate, number = name, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{stem} ({number}){dot}{extension}"
    return candidate


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    room = MAX_BYTES - len(f"{dot}{extension}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + extension
