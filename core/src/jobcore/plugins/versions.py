"""API ranges such as `>=1,<2`: what a manifest asks of the plugin API."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)\s*")


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A conjunction of comparisons with dotted numbers."""

    text: str
    _clauses: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read `>=1,<2`. Raises `ValueError` for anything else, without an upper or lower bound being required."""
        clauses: list[tuple[str, str]] = []
        for part in text.split(","):
            match = _CLAUSE.fullmatch(part)
            if match is None:
                raise ValueError("write a range such as '>=1,<2': comparisons of numbers, separated by commas")
            clauses.append((match[1], match[2]))
        return cls(text, tuple(clauses))

    def __contains__(self, version: object) -> bool:
        return all(_COMPARISONS[sign](_compare(str(version), bound), 0) for sign, bound in self._clauses)

    def __str__(self) -> str:
        return self.text


def _compare(left: str, right: str) -> int:
    """Return -1, 0 or 1; missing parts count as 0, so that 1 equals 1.0."""
    pairs = zip_longest(map(int, left.split(".")), map(int, right.split(".")), fillvalue=0)
    return next(((a > b) - (a < b) for a, b in pairs if a != b), 0)
