"""Finds the code samples of a Markdown page, and what the comments above them say.

A comment directly above a block may say one thing:

    <!-- sample: skip, because REASON -->       it is not run; few of those
    <!-- sample: file NAME -->                  it is the content of a file, not run by itself
    <!-- sample: background, until "TEXT" -->   its command goes on running once it has printed TEXT

and anywhere on the page, `<!-- sample: database -->` gives the page a migrated database in DATABASE_URL, and
`<!-- sample: temporal -->` a Temporal server in TEMPORAL_ADDRESS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\s*$")
DIRECTIVE = re.compile(r"^<!-- sample: (?P<words>.+) -->$")
FORMS = {
    "skip": re.compile(r"skip, because (?P<value>.{15,})"),
    "file": re.compile(r"file (?P<value>[\w./-]+)"),
    "background": re.compile(r'background, until "(?P<value>[^"]+)"'),
}
DATABASE = "database"
TEMPORAL = "temporal"


@dataclass(frozen=True)
class Sample:
    """One fenced block."""

    page: Path
    line: int
    """Of its first line of code, from 1."""
    language: str
    code: str
    directive: str = ""
    """`skip`, `file`, `background`, or nothing: it is run."""
    value: str = ""
    """The directive's reason, file name or text."""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console block, and what it should print; nothing is compared where nothing is written."""

    text: str
    expected: str


def pages() -> list[Path]:
    """Return every page that people read: at the root, in `docs/`, and the READMEs of distributions and examples."""
    found = {
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("core/*.md"),
        *ROOT.glob("plugins/*/*.md"),
        *ROOT.glob("examples/**/*.md"),
    }
    return sorted(path for path in found if not {".venv", "node_modules"} & set(path.parts))


def wants(page: Path, server: str) -> bool:
    """Return whether the page asks for a server: `DATABASE` or `TEMPORAL`."""
    return f"<!-- sample: {server} -->" in page.read_text(encoding="utf-8").splitlines()


def samples_of(page: Path) -> Iterator[Sample]:
    """Yield the page's blocks in their order.

    Raises:
        ValueError: for a comment that says nothing known, or stands above no block.
    """
    lines = page.read_text(encoding="utf-8").splitlines()
    number, directive, value = 0, "", ""
    while number < len(lines):
        line = lines[number]
        if match := DIRECTIVE.match(line.strip()):
            directive, value = _read_directive(page, number, match["words"])
        elif fence := FENCE.match(line):
            end = next(i for i in range(number + 1, len(lines)) if lines[i].strip() == "```")
            code = "\n".join(text.removeprefix(fence["indent"]) for text in lines[number + 1 : end])
            yield Sample(page, number + 2, fence["language"], code, directive, value)
            number, directive, value = end, "", ""
        elif directive and line.strip():
            raise ValueError(f"{page}:{number + 1}: a sample's comment stands directly above its block.")
        number += 1


def commands_of(sample: Sample) -> Iterator[Command]:
    """Yield the commands of a console block: `$ ` begins one, and what follows is what it prints."""
    for part in re.split(r"^\$ ", sample.code, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        length = 1
        while lines[length - 1].endswith("\\"):
            length += 1
        yield Command("\n".join(lines[:length]), "\n".join(lines[length:]))


def _read_directive(page: Path, number: int, words: str) -> tuple[str, str]:
    if words in (DATABASE, TEMPORAL):
        return "", ""
    for name, form in FORMS.items():
        if match := form.fullmatch(words):
            return name, match["value"]
    raise ValueError(f"{page}:{number + 1}: no comment of a sample: {words!r}; see support/samples.py.")
