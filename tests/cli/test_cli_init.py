"""`jobcore init` writes what runs, and overwrites nothing."""

import importlib

import pytest

from jobcore.cli.exit_codes import ExitCode
from jobcore.testing import run_job


def test_init_writes_settings_and_a_handler_that_a_worker_finds(cli, project, database, monkeypatch):
    answer = cli("init", "fresh")
    assert answer.code == 0
    assert "cd fresh" in answer.out
    assert "jobcore dev" in answer.out
    monkeypatch.chdir(project / "fresh")
    accepted = cli("enqueue", "say-hello", "--tenant", "system", "--data", '{"name": "Ada"}', "--json")
    assert accepted.code == 0, accepted.err
    refused = cli("enqueue", "say-hello", "--tenant", "system", "--data", "{}")
    assert "name: Field required" in refused.err


async def test_the_first_handler_runs(cli, project, monkeypatch):
    cli("init", "fresh")
    monkeypatch.syspath_prepend(project / "fresh")
    jobs = importlib.import_module("jobs")
    run = await run_job(jobs.say_hello, jobs.Greeting(name="Ada"))
    assert run.result == {"greeting": "Hello, Ada!"}


@pytest.mark.parametrize("present", ["jobcore.toml", "jobs.py"])
def test_init_refuses_to_overwrite_and_writes_nothing_then(cli, project, present):
    folder = project / "used"
    folder.mkdir()
    (folder / present).write_text("mine")
    answer = cli("init", "used")
    assert answer.code == ExitCode.USAGE
    assert present in answer.err
    assert [path.name for path in folder.iterdir()] == [present]
    assert (folder / present).read_text() == "mine"


def test_init_refuses_a_file_as_its_folder(cli, project):
    (project / "file").touch()
    answer = cli("init", "file", "--json")
    assert answer.code == ExitCode.USAGE
    assert answer.document["error"]["message"] == "file is a file: name a folder."


def test_init_tells_what_it_wrote_as_json(cli):
    assert cli("init", "fresh", "--json").document == {"written": ["fresh/jobcore.toml", "fresh/jobs.py"]}
