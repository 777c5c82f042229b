"""The page on what Node and Python share names tests that exist, and every test that was written for it."""

from __future__ import annotations

from docs.test_requirements import REFERENCE, ROOT, names_in

PAGE = (ROOT / "docs" / "reference" / "pgboss-interop.md").read_text(encoding="utf-8")
NAMED = {(match["path"], match["name"]) for match in REFERENCE.finditer(PAGE)}
UNSHOWN = "## What is not shared"


def test_the_page_names_tests_that_exist() -> None:
    assert [(path, name) for path, name in sorted(NAMED) if name not in names_in(path)] == []


def test_every_interoperability_test_stands_on_the_page() -> None:
    files = [str(path.relative_to(ROOT)) for path in ROOT.glob("tests/pgboss_runner/test_interop_*.py")]
    assert {(path, name) for path in files for name in names_in(path)} - NAMED == set()


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.partition(UNSHOWN)[0].splitlines() if line.startswith("| ")]
    shown = [line for line in rows if not line.startswith("| what holds |")]
    assert [line for line in shown if not REFERENCE.search(line)] == []
