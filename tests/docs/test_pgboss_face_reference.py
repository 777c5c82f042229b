"""The page of pg-boss's verbs names every one that Node has, and those that are here."""

from __future__ import annotations

import re
from pathlib import Path

from jobcore_devkit.testing import require
from jobcore_pgboss.boss import PgBoss

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/pgboss-face.md"
NODE = ROOT / "tests/node/node_modules/pg-boss/dist/index.d.ts"


def rows() -> dict[str, str]:
    """Node's name of each verb, and what stands in the column for Python."""
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text(), re.MULTILINE))


def test_every_verb_of_node_is_on_the_page() -> None:
    require("pg-boss", NODE.exists(), "make test")
    body = NODE.read_text().partition("export declare class PgBoss")[2].partition("\n}")[0]
    verbs = set(re.findall(r"^    (\w+)(?:<[^(]*>)?\(", body, re.MULTILINE)) - {"constructor"}
    assert len(verbs) > 50
    assert rows().keys() == verbs


def test_the_page_names_the_verbs_that_are_here_and_no_other() -> None:
    told = {name for cell in rows().values() for name in re.findall(r"`(\w+)`", cell)}
    assert told == {name for name in dir(PgBoss) if not name.startswith("_")}
