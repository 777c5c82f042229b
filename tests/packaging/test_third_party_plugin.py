"""A plugin that somebody else publishes: installed beside the wheels, it is listed, tested, and its job runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.samples import samples_of
from support.wheelhouse import ROOT, Environment, build_wheel

pytestmark = pytest.mark.xdist_group("packaging")

EXAMPLE = ROOT / "examples" / "third_party_plugin"
PAGE = ROOT / "docs" / "how-to" / "write-a-plugin.md"
IN_MEMORY = {"JOB_RUNNER_TYPE": "memory", "JOBCORE_STORAGE": "memory"}

REMIND = """
import asyncio
from jobcore import JobApp

async def main():
    async with JobApp() as app:
        worker = app.worker()
        await worker.start()
        handle = await app.enqueue("acme-remind", {"client": "Ada", "text": "it is time"}, tenant="system")
        print(await handle.result(timeout=30))
        await worker.stop()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def with_plugin(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the core and the plugin, each from its wheel."""
    folder = tmp_path_factory.mktemp("third-party")
    build_wheel(EXAMPLE, folder / "wheels")
    environment = Environment.create(folder / "venv")
    environment.install("jobcore-core", wheels=wheelhouse)
    environment.install("acme-reminders", wheels=folder / "wheels")
    return environment


def test_it_is_listed_with_what_it_provides(with_plugin: Environment, tmp_path: Path):
    listed = with_plugin.run("jobcore", "plugins", "list", "--json", cwd=tmp_path)
    [plugin] = json.loads(listed.stdout)["plugins"]
    assert (plugin["name"], plugin["distribution"], plugin["version"]) == ("acme", "acme-reminders", "1.0.0")
    assert (plugin["state"], plugin["reason"]) == ("active", "")
    assert plugin["provides"]["handlers"] == ["acme-remind"]


def test_its_job_runs_with_its_own_settings(with_plugin: Environment, tmp_path: Path):
    (tmp_path / "remind.py").write_text(REMIND)
    done = with_plugin.run("python", "remind.py", cwd=tmp_path, env={**IN_MEMORY, "JOBCORE_ACME__OUTBOX": "sent.txt"})
    assert done.stdout.strip() == "Ada was reminded"
    assert (tmp_path / "sent.txt").read_text() == "Ada: it is time\n"


def test_its_own_tests_pass(with_plugin: Environment, tmp_path: Path):
    tests = str(EXAMPLE / "tests")
    done = with_plugin.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tests, tests, cwd=tmp_path
    )
    assert "2 passed" in done.stdout


def test_the_page_that_builds_it_shows_these_very_files():
    shown = {sample.value: sample.code for sample in samples_of(PAGE) if sample.directive == "file"}
    written = {f"acme-reminders/{path.relative_to(EXAMPLE)}": path for path in EXAMPLE.rglob("*") if path.is_file()}
    assert shown.keys() <= written.keys()
    assert {name for name in shown if written[name].read_text() != shown[name] + "\n"} == set()
    assert {path.name for name, path in written.items() if name not in shown and "__pycache__" not in name} == {
        "README.md",
        "__init__.py",
        "py.typed",
    }
