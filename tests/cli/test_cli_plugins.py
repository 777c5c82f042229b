"""Commands and checks of plugins: real little distributions, as an installer would have left them."""

import sys
from textwrap import dedent

import pytest

from jobcore.app import assembly
from jobcore.cli.exit_codes import ExitCode

COMMAND = """
def jobcore_register_cli(commands):
    commands.add("wave", "acme_{number}.commands:wave", "Wave to somebody.")
"""
CHECKS = """
def jobcore_register_checks(registry):
    async def raises(app):
        raise KeyError("password=hunter2")

    async def hangs(app):
        await asyncio.Event().wait()

    async def advises(app):
        return CheckResult("acme-advice", True, "fine so far", "Buy more disks.")

    async def fails(app):
        return CheckResult("acme-disk", False, "the disk is full", "Buy more disks.")

    for name, check in {"raises": raises, "hangs": hangs, "advises": advises, "fails": fails}.items():
        registry.add(f"acme-{name}", check)
"""
WAVE = """
import typer

def wave(name: str = typer.Argument(help="Who."), loudly: bool = typer.Option(False, help="Shout.")):
    typer.echo(("HELLO" if loudly else "hello") + " " + name)
"""


@pytest.fixture
def install(project, monkeypatch):
    """Install a distribution with one plugin; return nothing, for the program finds it."""
    folder = project / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def put(number, code, commands=WAVE):
        package = folder / f"acme_{number}"
        package.mkdir()
        (package / "__init__.py").write_text("")
        imports = "import asyncio\nfrom jobcore.plugins.hooks import hookimpl\n"
        imports += "from jobcore.plugins.registries import CheckResult\n"
        body = dedent(code.replace("{number}", str(number))).replace("\ndef jobcore", "\n@hookimpl\ndef jobcore")
        (package / "plugin.py").write_text(imports + body)
        (package / "commands.py").write_text(commands)
        (package / "jobcore-plugin.toml").write_text('api = ">=1,<2"\n[provides]\ncommands = ["wave", "doctor"]\n')
        info = folder / f"acme_{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{number}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[jobcore]\nacme{number} = acme_{number}.plugin\n")

    assembly._plugin_manager.cache_clear()  # a process looks at what is installed once
    yield put
    assembly._plugin_manager.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


def test_a_plain_function_of_a_plugin_is_a_command(cli, install):
    install(1, COMMAND)
    assert "  wave       Wave to somebody." in cli("--help").out
    assert cli("wave", "Ada", "--loudly").out == "HELLO Ada\n"
    assert "Wave to somebody." in cli("wave", "--help").out


def test_a_plugin_that_fails_leaves_the_other_commands_as_they_are(cli, install):
    install(1, "raise RuntimeError('broken')")
    answer = cli("--help")
    assert answer.code == 0
    assert "migrate" in answer.out
    assert cli("wave").code == ExitCode.USAGE


def test_a_command_whose_module_does_not_import_names_its_plugin(cli, install):
    install(1, COMMAND, commands="import no_such_library\n")
    answer = cli("wave", "Ada")
    assert answer.code == ExitCode.CONFIGURATION
    assert "acme-1 1.0 offers 'wave'" in answer.err
    assert "no_such_library" in answer.err


def test_two_plugins_with_one_command_are_told_apart_by_the_settings(cli, install, monkeypatch):
    install(1, COMMAND)
    install(2, COMMAND, commands=WAVE.replace("hello", "servus"))
    answer = cli("wave", "Ada")
    assert answer.code == ExitCode.CONFIGURATION
    assert "acme-1 1.0 and acme-2 1.0" in answer.err
    monkeypatch.setenv("JOBCORE_PLUGINS__PREFER", '{"command:wave": "acme-2"}')
    assert cli("wave", "Ada").out == "servus Ada\n"


def test_a_plugin_cannot_replace_a_command_of_core(cli, install):
    install(1, COMMAND.replace('"wave"', '"doctor"'))
    assert cli("doctor", "--help").out.count("--strict") == 1
    assert cli("--help").out.count("  doctor ") == 1


def test_doctor_asks_the_checks_of_plugins_and_survives_them(cli, install, database, monkeypatch):
    monkeypatch.setattr("jobcore.cli.doctor.operation.CHECK_SECONDS", 0.2)
    install(1, CHECKS)
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    checks = {check["name"]: check for check in answer.document["checks"]}
    assert checks["acme-advice"]["verdict"] == "warning"
    assert (checks["acme-disk"]["verdict"], checks["acme-disk"]["remedy"]) == ("failed", "Buy more disks.")
    assert "raised" in checks["acme-raises"]["message"]
    assert "hunter2" not in answer.out
    assert "did not end within 0.2 s" in checks["acme-hangs"]["message"]
    assert checks["storage"]["verdict"] == "ok"


def test_doctor_tells_of_a_plugin_that_fails_and_of_one_that_is_left_out(cli, install, database, monkeypatch):
    install(1, "raise RuntimeError('broken')")
    monkeypatch.setenv("JOBCORE_PLUGINS__BLOCK", "devkit")
    checks = {check["name"]: check for check in cli("doctor", "--json").document["checks"]}
    assert checks["plugin acme1"]["verdict"] == "failed"
    assert "broken" in checks["plugin acme1"]["message"]
    assert checks["plugin devkit"]["verdict"] == "ok"
    assert "plugins.block" in checks["plugin devkit"]["message"]
