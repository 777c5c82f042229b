"""Writes `docs/reference/runner-contract.md` from the contracts themselves; run this file after a change of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

from jobcore.memory.runner import MEMORY_CAPABILITIES
from jobcore.ports.runner import Capabilities
from jobcore.testing import runner_contract, storage_contract
from jobcore.testing.runner_contract.behaviour import behaviours_of, needs_of, title_of
from jobcore_pgboss.identity import CAPABILITIES as PGBOSS_CAPABILITIES
from jobcore_temporal.identity import CAPABILITIES as TEMPORAL_CAPABILITIES

PAGE = Path(__file__).parents[2] / "docs/reference/runner-contract.md"
TEXT = Path(__file__).with_suffix(".md")
RUNNERS = {"memory": MEMORY_CAPABILITIES, "pgboss": PGBOSS_CAPABILITIES, "temporal": TEMPORAL_CAPABILITIES}


def render() -> str:
    """Return the page: its text, with the table and the lists where it names them."""
    text = TEXT.read_text(encoding="utf-8")
    for name, lines in (
        ("capabilities", _capabilities()),
        ("runner behaviours", _behaviours(runner_contract.THEMES)),
        ("storage behaviours", _behaviours(storage_contract.THEMES)),
    ):
        text = text.replace(f"<!-- {name} -->", "\n".join(lines))
    return text


def _capabilities() -> Iterator[str]:
    yield f"| capability | {' | '.join(f'`{name}`' for name in RUNNERS)} |"
    yield "|---|" + "---|" * len(RUNNERS)
    for field in fields(Capabilities):
        yield f"| `{field.name}` | {' | '.join(_shown(getattr(able, field.name)) for able in RUNNERS.values())} |"


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case frozenset():
            return ", ".join(sorted(map(str, value)))
        case _:
            return f"{value.total_seconds():g} s"


def _behaviours(themes: Iterable[ModuleType]) -> Iterator[str]:
    for theme in themes:
        behaviours = behaviours_of(theme)
        yield f"### {title_of(theme)}"
        for name, behaviour in behaviours.items():
            needs = ", ".join(f"`{need}`" for need in needs_of(behaviour))
            sentence = name.removeprefix("test_").replace("_", " ")
            yield f"- {sentence}" + (f" (needs {needs})" if needs else "")
        yield ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
