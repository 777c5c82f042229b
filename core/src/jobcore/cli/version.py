"""`jobcore version`: which distributions of jobcore are installed."""

from __future__ import annotations

import platform
from importlib.metadata import distributions

import typer

from jobcore import __version__
from jobcore.cli import output
from jobcore.cli.options import AsJson

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Show the versions of jobcore, of its plugins and of Python."""
    installed = _installed()
    if as_json:
        output.show_document(
            {"jobcore": __version__, "python": platform.python_version(), "distributions": dict(installed)}
        )
        return
    output.show_fields([("jobcore", __version__), ("python", platform.python_version()), *installed])


def _installed() -> list[tuple[str, str]]:
    """Return name and version of our distributions and of those with plugins, from metadata alone."""
    from jobcore.plugins.scan import scan

    plugins = {plugin.distribution: plugin.version for plugin in scan()}
    ours = {
        found.metadata["Name"]: found.version
        for found in distributions()
        if (found.metadata["Name"] or "").startswith("jobcore")
    }
    return sorted({**plugins, **ours}.items())
