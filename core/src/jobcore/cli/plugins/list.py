"""`jobcore plugins list`."""

from __future__ import annotations

from jobcore.cli import output
from jobcore.cli.options import AsJson
from jobcore.cli.plugins.records import plugin_document, plugin_records


def list_plugins(as_json: AsJson = False) -> None:
    """List the installed plugins, and why one would not be loaded.

    Only metadata and manifests are read, so `active` means: would be loaded. `jobcore doctor` loads them.
    """
    records = plugin_records()
    if as_json:
        output.show_document({"plugins": [plugin_document(record) for record in records]})
        return
    output.show_table(
        ("plugin", "state", "distribution", "version", "edition", "reason"),
        [
            (record.name, record.state.value, record.distribution, record.version, record.edition, record.reason)
            for record in records
        ],
        empty="No plugin is installed; see docs/how-to/install-a-plugin.md.",
    )
