"""The manifest: what it may say, and how a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobcore.plugins.hooks import PLUGIN_API_VERSION
from jobcore.plugins.manifest import ManifestError, parse_manifest
from jobcore.plugins.versions import VersionRange

ROOT = Path(__file__).parents[3]
SOURCE = "jobcore-plugin.toml of acme 1.0"


def test_the_example_of_the_documentation_is_a_manifest():
    page = (ROOT / "docs/reference/plugin-manifest.md").read_text()
    manifest = parse_manifest(page.partition("```toml\n")[2].partition("```")[0], SOURCE)
    manifest.require_api(SOURCE)
    assert manifest.settings == "acme_jobs.settings:Model"
    assert manifest.permissions == ("network", "database")
    assert manifest.migrations is not None
    assert (manifest.migrations.component, manifest.migrations.after) == ("acme", ("postgres",))


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("plugins/*/src/*/jobcore-plugin.toml")), ids=lambda path: path.parent.name
)
def test_the_manifests_of_the_house_are_in_order(path):
    parse_manifest(path.read_text(), path.parent.name).require_api(path.parent.name)


def test_one_line_says_what_is_wrong_with_each_key():
    text = 'api = "1"\nedtion = "x"\nsettings = "nowhere"\npermissions = ["netwrk"]\n[provides]\nrunner = ["a"]'
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text, SOURCE)
    message = str(caught.value)
    assert message.startswith(f"{SOURCE} cannot be used; see docs/reference/plugin-manifest.md.")
    assert "'api' is text of 1 characters. Write a range such as '>=1,<2'" in message
    assert "'edtion' is not known. Did you mean 'edition'?" in message
    assert "'provides.runner' is not known. Did you mean 'runners'?" in message
    assert "Did you mean 'network'?" in message
    assert "'settings'" in message
    assert message.count("\n") == 5


@pytest.mark.parametrize(("text", "told"), [("api = ", "is not TOML"), ('edition = "community"', "'api' is missing.")])
def test_what_is_no_manifest_is_refused(text, told):
    with pytest.raises(ManifestError, match=told):
        parse_manifest(text, SOURCE)


@pytest.mark.parametrize("folder", ["/etc", "../other", "a/../b"])
def test_migrations_stay_beside_the_manifest(folder):
    with pytest.raises(ManifestError, match="migrations.folder"):
        parse_manifest(f'api = ">=1"\n[migrations]\ncomponent = "acme"\nfolder = "{folder}"', SOURCE)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=1,<2", ["1", "1.0", "1.9.3"], ["0.9", "2", "2.0"]),
        ("==1", ["1", "1.0", "1.0.0"], ["1.1"]),
        ("!=1.5, >1", ["1.1", "1.6"], ["1", "1.5"]),
        ("<=1.10", ["1.9", "1.10"], ["1.11"]),
    ],
)
def test_ranges_compare_numbers(text, inside, outside):
    versions = VersionRange.parse(text)
    assert [version for version in inside + outside if version in versions] == inside
    assert str(versions) == text


@pytest.mark.parametrize("text", ["", "1", "~=1", ">=1;<2", ">=1.x", ">=1,"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match="write a range"):
        VersionRange.parse(text)


def test_the_present_api_is_one():
    assert PLUGIN_API_VERSION in VersionRange.parse(">=1,<2")
