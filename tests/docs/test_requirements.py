"""The page that maps every requirement to its tests is complete, and names tests that exist."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "requirements.md"
IDS = (Path(__file__).parent / "requirement_ids.txt").read_text().split()

ROW = re.compile(r"^\| (?P<id>[A-Z]\d\d) \| (?P<asks>[^|]+) \| (?P<where>[^|]+) \| (?P<shown>[^|]+) \|$")
REFERENCE = re.compile(r"`(?P<path>(?:core/src/jobcore/)?(?:tests|testing)/[\w/]+\.py)::(?P<name>[\w:]+)`")
CODE = re.compile(r"`(?P<text>[^`]+)`")
LATER = re.compile(r"not yet: comes with (issue \d|the \w+(?: and \w+)? issue|the dashboard's issue)")
PACKAGES = {
    "jobcore": "core",
    "jobcore_postgres": "plugins/postgres_storage",
    "jobcore_pgboss": "plugins/pgboss_runner",
    "jobcore_temporal": "plugins/temporal_runner",
    "jobcore_handlers": "plugins/builtin_handlers",
    "jobcore_devkit": "plugins/devkit",
}

FULL_NOW = {
    *(f"R{n:02}" for n in range(1, 20)),
    *(f"F{n:02}" for n in (*range(1, 15), 18, 19)),
    *(f"H{n:02}" for n in range(1, 10)),
    *(f"P{n:02}" for n in range(1, 7)),
    *(f"S{n:02}" for n in range(1, 9)),
    *(f"G{n:02}" for n in range(1, 26)),
    *("J01", "J02", "B12", "B13", "B14", "B15", "B16"),
    *("J04", "J06", "J07", "J08"),
    *("J09", "J10", "J11", "J12"),
}
"""The lines that the first version meets; each must name a test."""


@dataclass(frozen=True)
class Line:
    """One row of the page."""

    id: str
    where: str
    shown: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        return [(match["path"], match["name"]) for match in REFERENCE.finditer(self.shown)]


def read_page() -> Iterator[Line]:
    for text in PAGE.read_text().splitlines():
        if re.match(r"\| [A-Z]\d", text):
            match = ROW.match(text)
            assert match, f"this row of {PAGE.name} has not four cells: {text}"
            yield Line(match["id"], match["where"].strip(), match["shown"].strip())


LINES = list(read_page())


@cache
def names_in(path: str) -> frozenset[str]:
    """The test functions, test classes and their methods of a file, as pytest names them."""
    return frozenset(_names(ast.parse((ROOT / path).read_text()).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inner = list(_names(node.body, f"{prefix}{node.name}::"))
            if inner:
                yield f"{prefix}{node.name}"
            yield from inner
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield f"{prefix}{node.name}"


def test_every_id_stands_on_the_page_once_and_in_order():
    found = [line.id for line in LINES]
    assert {identity: count for identity, count in Counter(found).items() if count > 1} == {}
    assert found == IDS


def test_the_list_of_ids_has_no_gap():
    by_section: dict[str, list[int]] = {}
    for identity in IDS:
        by_section.setdefault(identity[0], []).append(int(identity[1:]))
    assert list(by_section) == list("RFHPTSDJQXGB")
    assert {section: numbers == list(range(1, len(numbers) + 1)) for section, numbers in by_section.items()} == (
        dict.fromkeys(by_section, True)
    )


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_a_line_names_tests_that_exist_or_says_when_it_comes(line: Line):
    assert line.tests or LATER.search(line.shown), f"{line.id} names neither a test nor the issue that brings it"
    for path, name in line.tests:
        assert (ROOT / path).is_file(), f"{line.id} names {path}, which is not there"
        assert name in names_in(path), f"{line.id} names {path}::{name}, which is not there"
    unread = CODE.sub(lambda match: "" if REFERENCE.fullmatch(match[0]) else match["text"], line.shown)
    assert "tests/" not in unread, f"{line.id} names a test in a form that is not read: {unread}"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_a_line_names_modules_that_exist(line: Line):
    for match in CODE.finditer(line.where):
        assert _exists(match["text"]), f"{line.id} lives in {match['text']}, which is not there"


def test_the_lines_of_the_first_version_are_shown():
    assert {line.id for line in LINES if not line.tests} & FULL_NOW == set()


def _exists(name: str) -> bool:
    """Whether a module, a class of one, a command of make, a file or an SQL function of this name is there."""
    package, _, rest = name.partition(".")
    if package in PACKAGES and "/" not in name:
        return _is_module(package, rest.split(".") if rest else [])
    if name.startswith("make "):
        return f"\n{name.removeprefix('make ')}:" in (ROOT / "Makefile").read_text()
    if name.endswith(".sql"):
        return any(ROOT.glob(f"plugins/*/src/**/{name}"))
    distribution, _, inside = name.partition("/")
    if distribution in PACKAGES:
        return (ROOT / PACKAGES[distribution] / "src" / distribution / inside).exists()
    return (ROOT / name).exists()


def _is_module(package: str, parts: list[str]) -> bool:
    place = ROOT / PACKAGES[package] / "src" / package
    for part in parts:
        if (place / part).is_dir():
            place /= part
        elif (place / f"{part}.py").is_file():
            place = place / f"{part}.py"
        else:
            files = [place] if place.is_file() else place.glob("*.py")
            return any(f"class {part}" in file.read_text() for file in files)
    return True
