"""What is inside the wheels."""

from __future__ import annotations

import tomllib
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from functools import cached_property
from pathlib import Path

import pytest

import jobcore
from support.wheelhouse import ROOT, ROOT_DISTRIBUTION, build_wheel, distributions

pytestmark = pytest.mark.xdist_group("packaging")

VERSION = jobcore.__version__
WITH_CODE = [name for name in distributions() if name != ROOT_DISTRIBUTION]
PLUGINS = [name for name in WITH_CODE if name != "jobcore-core"]


class Wheel:
    """One wheel, opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.distribution, self.version = path.name.split("-")[:2]
        with zipfile.ZipFile(path) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}

    @cached_property
    def metadata(self) -> Message:
        return Parser().parsestr(self.in_dist_info("METADATA").decode())

    @property
    def entry_points(self) -> ConfigParser:
        parser = ConfigParser(delimiters="=")
        parser.read_string(self.in_dist_info("entry_points.txt").decode())
        return parser

    @property
    def code(self) -> set[str]:
        return {name for name in self.files if ".dist-info/" not in name}

    @property
    def requirements(self) -> list[str]:
        return self.metadata.get_all("Requires-Dist", [])

    def in_dist_info(self, name: str) -> bytes:
        return self.files[f"{self.distribution}-{self.version}.dist-info/{name}"]


@pytest.fixture
def wheel(request: pytest.FixtureRequest, wheelhouse: Path) -> Wheel:
    [path] = wheelhouse.glob(f"{request.param.replace('-', '_')}-*.whl")
    return Wheel(path)


def every(*names: str):
    return pytest.mark.parametrize("wheel", names, indirect=True)


@every(*distributions())
def test_all_wheels_have_one_version_and_ask_for_one_another_by_it(wheel: Wheel):
    assert wheel.version == wheel.metadata["Version"] == VERSION
    ours = [line.partition(";")[0].strip() for line in wheel.requirements if line.startswith("jobcore")]
    assert all(requirement.endswith(f"=={VERSION}") for requirement in ours)


@every(*distributions())
def test_every_wheel_says_its_licence_and_its_python(wheel: Wheel):
    assert wheel.metadata["License-Expression"] == "Apache-2.0"
    assert wheel.metadata["Requires-Python"] == ">=3.11"
    assert wheel.metadata.get_payload(), "the README is the long description"


@every(*WITH_CODE)
def test_the_licence_travels_with_the_code(wheel: Wheel):
    assert wheel.metadata.get_all("License-File") == ["LICENSE"]
    assert wheel.in_dist_info("licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


@every(*WITH_CODE)
def test_packages_are_typed(wheel: Wheel):
    [package] = {name.partition("/")[0] for name in wheel.code}
    assert f"{package}/py.typed" in wheel.code


@every(*WITH_CODE)
def test_every_file_of_the_source_is_in_the_wheel_and_no_other(wheel: Wheel):
    source = distributions()[wheel.distribution.replace("_", "-")] / "src"
    written = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wheel.code == written


@every("jobcore-core")
def test_the_core_brings_the_program(wheel: Wheel):
    assert dict(wheel.entry_points["console_scripts"]) == {"jobcore": "jobcore.cli.main:run"}
    assert not wheel.entry_points.has_section("jobcore"), "core's own engine needs no entry point"


@every(*PLUGINS)
def test_each_plugin_has_an_entry_point_and_a_manifest_beside_its_module(wheel: Wheel):
    [(_, module)] = wheel.entry_points["jobcore"].items()
    assert f"{module.replace('.', '/')}.py" in wheel.code
    manifest = tomllib.loads(wheel.files[f"{module.partition('.')[0]}/jobcore-plugin.toml"].decode())
    assert manifest["api"] == ">=1,<2"


@every("jobcore-postgres-storage", "jobcore-pgboss-runner", "jobcore-builtin-handlers")
def test_migrations_are_in_the_wheels_both_ways(wheel: Wheel):
    [manifest] = (name for name in wheel.code if name.endswith("/jobcore-plugin.toml"))
    folder = f"{manifest.rpartition('/')[0]}/{tomllib.loads(wheel.files[manifest].decode())['migrations']['folder']}/"
    ups = {name.removesuffix(".up.sql") for name in wheel.code if name.startswith(folder) and name.endswith(".up.sql")}
    downs = {name.removesuffix(".down.sql") for name in wheel.code if name.startswith(folder)} & ups
    assert ups
    assert downs == ups


@every(ROOT_DISTRIBUTION)
def test_the_root_wheel_is_empty_of_code_and_names_the_community_parts(wheel: Wheel):
    assert wheel.code == set()
    plain = {line for line in wheel.requirements if "extra ==" not in line}
    assert plain == {
        f"{name}=={VERSION}" for name in ("jobcore-core", "jobcore-postgres-storage", "jobcore-pgboss-runner")
    }


@every(ROOT_DISTRIBUTION)
def test_the_root_wheel_has_the_extras_that_are_promised(wheel: Wheel):
    extras = {extra: set[str]() for extra in wheel.metadata.get_all("Provides-Extra", [])}
    for line in wheel.requirements:
        requirement, _, marker = line.partition(";")
        if marker:
            extras[marker.split("==")[1].strip(" '\"")].add(requirement.strip().removesuffix(f"=={VERSION}"))
    everything = extras.pop("all")
    assert set(extras) == {"enterprise", "dashboard", "observability", "handlers", "dev"}
    assert everything == set().union(*extras.values())


def test_wheels_are_the_same_byte_by_byte_on_every_build(tmp_path: Path):
    core = distributions()["jobcore-core"]
    for folder in ("first", "second"):
        build_wheel(core, tmp_path / folder, epoch=1_700_000_000)
    [first], [second] = (list((tmp_path / folder).glob("*.whl")) for folder in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_the_makefile_builds_every_distribution():
    [line] = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("DISTRIBUTIONS")]
    named = {ROOT / folder for folder in line.partition(":=")[2].split()}
    assert named | {ROOT} == set(distributions().values())


def test_the_workspace_names_every_distribution():
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    members = {path for pattern in workspace["workspace"]["members"] for path in ROOT.glob(pattern)}
    assert {path for path in members if path.is_dir()} == set(distributions().values()) - {ROOT}
    assert {name for name, source in workspace["sources"].items() if source == {"workspace": True}} == set(WITH_CODE)


def test_uv_locks_without_the_distributions_that_do_not_exist_yet():
    """Each must leave the list when its folder appears; uv refuses a lock with names that nobody publishes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    left_out = {line.partition(";")[0] for line in project["tool"]["uv"]["override-dependencies"]}
    named = {
        line.partition("==")[0] for extra in project["project"]["optional-dependencies"].values() for line in extra
    }
    assert left_out == named - set(distributions())
