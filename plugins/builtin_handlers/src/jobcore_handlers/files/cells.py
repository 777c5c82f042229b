"""Text that is written into CSV files for people to open in a spreadsheet."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral_cell(value: object) -> str:
    """Return what to write for `value` so that no spreadsheet takes it for a formula; `None` is the empty cell.

    Text that begins like a formula, after spaces too, gets a `'` in front, which spreadsheets take for "this is text".
    Numbers and dates are not text and stay as they are. The rule is OWASP's (CSV Injection).
    """
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{text}"
    return text
