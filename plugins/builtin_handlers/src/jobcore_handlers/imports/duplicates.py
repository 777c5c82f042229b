"""Whether a tenant has an asset already, or gets it from an earlier row of the same batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from operator import attrgetter
from uuid import UUID

from rapidfuzz.distance import Levenshtein

from jobcore_handlers.imports.fields import Asset
from jobcore_handlers.statements import Statements

BY_LIKENESS = "name"
NAMES_AFTER, NAMES_BEFORE = 13, 12
"""How many names are compared, of those that begin with the same three letters and stand nearest in the alphabet."""
PREFIX = 3


@dataclass(frozen=True, slots=True)
class NewAsset:
    """What a row becomes if the tenant has no such asset."""

    row: int
    asset_id: UUID
    asset: Asset
    asset_tag: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The asset that there is already."""

    asset_id: UUID
    matched_by: str
    likeness: float | None = None
    """The ratio of the names, if it is only they that are alike."""


@dataclass(frozen=True, slots=True)
class Named:
    """An asset, and its name in lower case."""

    asset_id: UUID
    name_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    row: int
    own_key: str
    matched_by: str | None
    asset_id: UUID | None
    name_key: str | None


class Lookup:
    """What there is already of the assets of one batch; `add` tells it what was made of the batch's earlier rows."""

    def __init__(self, matches: Sequence[_Match], likeness: float) -> None:
        self._likeness = likeness
        self._keys = {match.row: match.own_key for match in matches}
        self._stored: dict[tuple[int, str], UUID] = {}
        self._stored_names: dict[int, list[Named]] = defaultdict(list)
        self._added: dict[tuple[str, str], UUID] = {}
        self._added_names: dict[str, list[Named]] = defaultdict(list)
        for match in matches:
            if match.matched_by is None or match.asset_id is None or match.name_key is None:
                continue
            if match.matched_by == BY_LIKENESS:
                self._stored_names[match.row].append(Named(match.asset_id, match.name_key))
            else:
                self._stored[match.row, match.matched_by] = match.asset_id

    def find(self, new: NewAsset) -> Duplicate | None:
        """Look for serial number, asset tag, MAC address and name, in this order; then for a name that is nearly so."""
        for kind, value in self._marks(new):
            if known := self._stored.get((new.row, kind)) or self._added.get((kind, value)):
                return Duplicate(known, kind)
        key = self._keys[new.row]
        return most_alike(
            key, _nearest(key, self._stored_names[new.row] + self._added_names[key[:PREFIX]]), self._likeness
        )

    def add(self, new: NewAsset) -> None:
        """Take notice that a row became an asset."""
        key = self._keys[new.row]
        self._added_names[key[:PREFIX]].append(Named(new.asset_id, key))
        for mark in self._marks(new):
            self._added.setdefault(mark, new.asset_id)

    def _marks(self, new: NewAsset) -> Iterator[tuple[str, str]]:
        marks = (
            ("serial_number", new.asset.serial_number),
            ("asset_tag", new.asset_tag),
            ("mac_address", new.asset.mac_address),
            ("hostname", self._keys[new.row]),
        )
        return ((kind, value) for kind, value in marks if value is not None)


async def look_up(statements: Statements, tenant: UUID, wanted: Sequence[NewAsset], likeness: float) -> Lookup:
    """Look for all the assets of a batch at once."""
    matches = await statements.all(
        "find_duplicates",
        _Match,
        tenant=tenant,
        rows=[new.row for new in wanted],
        names=[new.asset.name for new in wanted],
        serial_numbers=[new.asset.serial_number for new in wanted],
        asset_tags=[new.asset_tag for new in wanted],
        mac_addresses=[new.asset.mac_address for new in wanted],
        names_after=NAMES_AFTER,
        names_before=NAMES_BEFORE,
    )
    return Lookup(matches, likeness)


def _nearest(key: str, names: Sequence[Named]) -> Sequence[Named]:
    by_key = attrgetter("name_key")
    after = nsmallest(NAMES_AFTER, (name for name in names if name.name_key > key), by_key)
    return after + nlargest(NAMES_BEFORE, (name for name in names if name.name_key < key), by_key)


def most_alike(key: str, names: Sequence[Named], likeness: float) -> Duplicate | None:
    """Return the asset whose name is most like `key`, if the ratio reaches `likeness`; both are in lower case.

    The ratio is 1 - (Levenshtein distance / length of the longer name).
    """
    best: Duplicate | None = None
    for name in names:
        ratio = Levenshtein.normalized_similarity(key, name.name_key, score_cutoff=likeness)
        if ratio >= likeness and (best is None or ratio > (best.likeness or 0)):
            best = Duplicate(name.asset_id, BY_LIKENESS, ratio)
    return best
