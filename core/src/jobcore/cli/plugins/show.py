"""`jobcore plugins show`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.errors import PluginNotFoundError
from jobcore.cli.options import AsJson
from jobcore.cli.plugins.records import plugin_document, plugin_records

if TYPE_CHECKING:
    from jobcore.plugins.records import PluginRecord


def show_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The plugin's name, or its distribution's.")],
    as_json: AsJson = False,
) -> None:
    """Show what a plugin says of itself.

    What it provides, what it may do, and which plugin API and edition it needs.
    """
    found = _find(name, plugin_records())
    documents = [plugin_document(record) for record in found]
    if as_json:
        output.show_document({"plugins": documents})
        return
    for number, document in enumerate(documents):
        if number:
            output.show_line()
        output.show_fields(_fields(document))


def _find(name: str, records: Sequence[PluginRecord]) -> list[PluginRecord]:
    found = [record for record in records if name in (record.name, record.distribution)]
    if not found:
        known = sorted({known for record in records for known in (record.name, record.distribution)})
        near = get_close_matches(name, known, n=3)
        hint = (
            f"Did you mean {' or '.join(map(repr, near))}?" if near else "`jobcore plugins list` shows what there is."
        )
        raise PluginNotFoundError(f"No plugin and no distribution with plugins is called {name!r}. {hint}")
    return found


def _fields(document: dict[str, Any]) -> list[tuple[str, Any]]:
    provided = [(kind, ", ".join(names)) for kind, names in document.pop("provides").items()]
    plain = [
        (name.replace("_", " "), ", ".join(value) if isinstance(value, list) else value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        for name, value in document.items()
    ]
    return [*plain, *provided]
