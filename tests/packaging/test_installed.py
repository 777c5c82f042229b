"""The wheels, installed where nothing of ours is editable and no index can be asked, run jobs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from support.wheelhouse import Environment, build_wheel

pytestmark = pytest.mark.xdist_group("packaging")

JOBS = """
from jobcore import JobContext, JobData, job

class Welcome(JobData):
    name: str

@job("welcome")
async def welcome(ctx: JobContext, data: Welcome) -> str:
    return f"Welcome, {data.name}!"
"""

RUN_ONE = """
import asyncio, sys
import jobcore, jobs
from jobcore import JobApp

async def main():
    async with JobApp(handlers=[jobs.welcome]) as app:
        worker = app.worker()
        await worker.start()
        handle = await jobs.welcome.enqueue(app, jobs.Welcome(name="Ada"), tenant="system")
        print(app.default_runner, await handle.result(timeout=30), (await handle.status()).status, sep="; ")
        await worker.stop()

assert jobcore.__file__.startswith(sys.prefix), jobcore.__file__
asyncio.run(main())
"""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """The folder of an application with one job."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "run_one.py").write_text(RUN_ONE)
    return tmp_path


def test_a_job_runs_in_memory(installed: Environment, application: Path):
    done = installed.run(
        "python", "run_one.py", cwd=application, env={"JOB_RUNNER_TYPE": "memory", "JOBCORE_STORAGE": "memory"}
    )
    assert done.stdout.strip() == "memory; Welcome, Ada!; completed"


def test_a_job_runs_on_a_real_postgresql_that_the_installed_program_migrated(
    installed: Environment, application: Path, empty_database_dsn: str
):
    database = {"DATABASE_URL": empty_database_dsn}
    installed.run("jobcore", "migrate", "up", cwd=application, env=database)
    done = installed.run("python", "run_one.py", cwd=application, env=database)
    assert done.stdout.strip() == "pgboss; Welcome, Ada!; completed"
    listed = installed.run("jobcore", "jobs", "list", "--tenant", "system", "--json", cwd=application, env=database)
    [job] = json.loads(listed.stdout)["jobs"]
    assert (job["type"], job["status"], job["runner_type"]) == ("welcome", "completed", "pgboss")


def test_plugins_list_shows_the_plugins_of_the_wheels(installed: Environment, tmp_path: Path):
    plugins = listed_plugins(installed, tmp_path)
    assert {name: (plugin["distribution"], plugin["state"]) for name, plugin in plugins.items()} == {
        "builtin": ("jobcore-builtin-handlers", "active"),
        "devkit": ("jobcore-devkit", "active"),
        "pgboss": ("jobcore-pgboss-runner", "active"),
        "postgres": ("jobcore-postgres-storage", "active"),
    }


def test_naming_the_files_is_enough_so_that_no_index_is_asked_for_our_names(wheelhouse: Path, tmp_path: Path):
    """What the README says: `pip install dist/*.whl`."""
    (tmp_path / "no-wheels").mkdir()
    environment = Environment.create(tmp_path / "venv")
    said = environment.install(*map(str, sorted(wheelhouse.glob("*.whl"))), wheels=tmp_path / "no-wheels")
    assert "Successfully installed jobcore-0.1.0 jobcore-builtin-handlers-0.1.0 jobcore-core-0.1.0" in said


def test_without_the_extras_only_the_community_parts_are_installed(wheelhouse: Path, tmp_path: Path):
    plain = Environment.create(tmp_path / "venv")
    plain.install("jobcore", wheels=wheelhouse)
    assert set(listed_plugins(plain, tmp_path)) == {"pgboss", "postgres"}


def test_the_core_alone_lists_no_plugin_and_says_what_is_missing(wheelhouse: Path, application: Path):
    core = Environment.create(application / "venv")
    core.install("jobcore-core", wheels=wheelhouse)
    assert listed_plugins(core, application) == {}
    refused = core.run("python", "run_one.py", cwd=application, check=False)
    assert refused.returncode == 1
    assert "jobcore-pgboss-runner" in refused.stderr
    assert "pip install jobcore" not in refused.stderr.replace("pip install jobcore-", "")


def test_doctor_refuses_a_foreign_distribution_of_our_name(wheelhouse: Path, tmp_path: Path):
    """The name `jobcore` on the public index belongs to somebody else."""
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "pyproject.toml").write_text(FOREIGN)
    (tmp_path / "foreign" / "somebody_elses.py").write_text("")
    build_wheel(tmp_path / "foreign", tmp_path / "foreign-wheels")
    environment = Environment.create(tmp_path / "venv")
    environment.install("jobcore-core", wheels=wheelhouse)
    environment.install("jobcore", wheels=tmp_path / "foreign-wheels")

    doctor = environment.run("jobcore", "doctor", "--json", cwd=tmp_path, check=False)

    assert doctor.returncode == 1
    findings = {check["name"]: check for check in json.loads(doctor.stdout)["checks"]}
    assert findings["distributions"]["verdict"] == "failed"
    assert "'jobcore' 3.4.5 is another project" in findings["distributions"]["message"]


def listed_plugins(environment: Environment, folder: Path) -> dict[str, dict[str, object]]:
    """Return what `jobcore plugins list --json` prints, by the plugins' names."""
    listed = environment.run("jobcore", "plugins", "list", "--json", cwd=folder)
    return {plugin["name"]: plugin for plugin in json.loads(listed.stdout)["plugins"]}


FOREIGN = textwrap.dedent("""
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "jobcore"
    version = "3.4.5"

    [tool.hatch.build.targets.wheel]
    only-include = ["somebody_elses.py"]
""")
