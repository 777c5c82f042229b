"""Finds a plugin's files without importing it, for wheels and for editable installs."""

from __future__ import annotations

from hashlib import sha256
from importlib.machinery import all_suffixes
from importlib.util import find_spec
from pathlib import Path

from jobcore.plugins.manifest import MANIFEST_NAME, missing_manifest
from jobcore.plugins.scan import FoundPlugin


def package_folder(plugin: FoundPlugin) -> Path | None:
    """Return the folder of the package that holds the entry module, or `None` if there is no such package."""
    package = _package(plugin.module)
    beside_metadata = Path(str(plugin.installed.locate_file("/".join(package))))
    if beside_metadata.is_dir():
        return beside_metadata
    folders = (root.joinpath(*package[1:]) for root in _roots(package[0]))
    return next((folder for folder in folders if folder.is_dir()), None)


def read_manifest(plugin: FoundPlugin) -> str:
    """Return the text of the plugin's manifest.

    Raises:
        ManifestError: if there is none.
        OSError, UnicodeDecodeError: if it cannot be read.
    """
    folder = package_folder(plugin)
    if folder is None or not (folder / MANIFEST_NAME).is_file():
        raise missing_manifest(plugin.module, "/".join(_package(plugin.module)))
    return (folder / MANIFEST_NAME).read_text(encoding="utf-8")


def entry_file_hash(plugin: FoundPlugin) -> str:
    """Return the SHA-256 of the entry module's file, or nothing if there is no such file."""
    file = _entry_file(plugin)
    return sha256(file.read_bytes()).hexdigest() if file is not None else ""


def _package(module: str) -> list[str]:
    parts = module.split(".")
    return parts[:-1] or parts


def _roots(top_level: str) -> list[Path]:
    """Ask the import system where a top-level package is; for such a name it imports nothing."""
    try:
        spec = find_spec(top_level)
    except ValueError:  # imported, but by somebody who left no spec
        return []
    return [Path(location) for location in (spec.submodule_search_locations or ())] if spec else []


def _entry_file(plugin: FoundPlugin) -> Path | None:
    folder = package_folder(plugin)
    if folder is None:
        return None
    _, _, last = plugin.module.rpartition(".")
    stems = [folder / last, folder / last / "__init__"] if "." in plugin.module else [folder / "__init__"]
    files = (stem.with_name(stem.name + suffix) for stem in stems for suffix in all_suffixes())
    return next((file for file in files if file.is_file()), None)
