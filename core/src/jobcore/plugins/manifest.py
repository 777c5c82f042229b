"""The manifest: what a plugin says of itself in `jobcore-plugin.toml`, read before anything of it is imported."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from jobcore.errors import PluginError
from jobcore.plugins.hooks import PLUGIN_API_VERSION
from jobcore.plugins.versions import VersionRange
from jobcore.settings.problems import Path, describe_problems

MANIFEST_NAME = "jobcore-plugin.toml"
MANIFEST_PAGE = "docs/reference/plugin-manifest.md"

Permission = Literal["network", "filesystem", "subprocess", "database"]
"""What a plugin says that it does beside computing. Shown by `jobcore plugins`; a statement, not a sandbox."""

_TARGET = r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"


class ManifestError(PluginError):
    """A manifest is missing, is not TOML, or does not say what it must."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Provides(_Table):
    """The names that a plugin may register; one that registers another is refused.

    Of handlers also patterns: `acme-*` matches as in file names.
    """

    runners: tuple[str, ...] = ()
    storages: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def covers(self, kind: str, name: str) -> bool:
        """Return whether `name` may be registered; `kind` is `runner`, `storage`, `handler` or `command`."""
        declared: tuple[str, ...] = getattr(self, f"{kind}s")
        return name in declared or (kind == "handler" and any(fnmatchcase(name, pattern) for pattern in declared))


class Migrations(_Table):
    """The plugin's schema: its component's name, its folder beside the manifest, and the components that come first."""

    component: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    folder: str = Field(default="migrations", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_/]*$")
    after: tuple[str, ...] = ()


def _parse_range(value: Any) -> Any:
    return VersionRange.parse(value) if isinstance(value, str) else value


class Manifest(_Table):
    """What a plugin says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)

    api: Annotated[VersionRange, BeforeValidator(_parse_range)]
    """The versions of the plugin API that it works with."""
    edition: Literal["community", "enterprise"] = "community"
    provides: Provides = Provides()
    settings: str | None = Field(default=None, pattern=_TARGET)
    """`module:Model`, the pydantic model of the plugin's own settings; their section has the entry point's name."""
    permissions: tuple[Permission, ...] = ()
    migrations: Migrations | None = None

    def require_api(self, source: str, version: str = PLUGIN_API_VERSION) -> None:
        """Raise `ManifestError` unless the plugin works with this version of the plugin API."""
        if version not in self.api:
            raise ManifestError(
                f"{source} asks for plugin API {self.api}, and this jobcore has {version}: "
                "install a version of the plugin made for this API, or another jobcore-core."
            )


def parse_manifest(text: str, source: str) -> Manifest:
    """Return the manifest that `text` holds.

    Args:
        text: TOML.
        source: how messages name the file.

    Raises:
        ManifestError: with one line for each thing that is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{source} is not TOML: {error}.") from None
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        lines = describe_problems(error, Manifest, _key, own=True)
    raise ManifestError(f"{source} cannot be used; see {MANIFEST_PAGE}.\n  " + "\n  ".join(lines))


def missing_manifest(module: str, folder: str) -> ManifestError:
    """Return the error for a plugin without a manifest: where one belongs, and the least that it says."""
    return ManifestError(
        f'{module} has no manifest: put {MANIFEST_NAME} into {folder}, with at least the line api = ">=1,<2", '
        f"and see that the wheel holds it; {MANIFEST_PAGE} has an example."
    )


def _key(path: Path) -> str:
    return repr(".".join(path))
