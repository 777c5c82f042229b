"""The plugin manager over real distributions: what is imported, what is refused, and what is kept."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from jobcore.errors import ConfigurationError, ConflictError, PluginError, RequiredPluginError
from jobcore.plugins.hooks import hookimpl
from jobcore.plugins.manager import PluginManager
from jobcore.plugins.records import PluginState
from jobcore.plugins.scan import scan

RUNNER = """
@hookimpl
def jobcore_register_runners(registry):
    registry.register_runner({name!r}, lambda context: None, capabilities=Capabilities())
"""
HANDLER = """
from typing import Any
from jobcore import job

@job({name!r})
async def handle(ctx, data: dict[str, Any]): ...

@hookimpl
def jobcore_register_handlers(registry):
    registry.register(handle)
"""


def states(loaded) -> dict[str, PluginState]:
    return {record.name: record.state for record in loaded.records}


def reason(loaded, name: str) -> str:
    return next(record.reason for record in loaded.records if record.name == name)


def test_plugins_are_found_sorted_by_distribution_and_name(site):
    site.install("zeta-jobs")
    site.install("Alpha_Jobs")
    site.add_metadata("middle", "2.0", {"two": "x.y", "one": "x.y"})
    assert [(found.distribution, found.name) for found in site.found()] == [
        ("alpha-jobs", "Alpha_Jobs"),
        ("middle", "one"),
        ("middle", "two"),
        ("zeta-jobs", "zeta-jobs"),
    ]


def test_a_distribution_that_is_on_the_path_twice_counts_once(site, tmp_path, monkeypatch):
    site.install("acme-twice", version="1.0")
    other = type(site)(tmp_path / "other")
    other.folder.mkdir()
    other.add_metadata("acme-twice", "0.9", {"acme-twice": "acme_twice.plugin"})
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    monkeypatch.syspath_prepend(str(site.folder))
    assert [found.version for found in site.found()] == ["1.0"]


def test_what_a_broken_uninstall_left_behind_is_passed_over(site):
    (site.folder / "ruin-1.0.dist-info").mkdir()
    site.install("acme-whole")
    assert [found.name for found in site.found()] == ["acme-whole"]


def test_listing_imports_no_plugin_and_shows_what_it_would_bring(site, settings):
    package = site.install("acme-listed", "raise RuntimeError('imported')", manifest=MANIFEST_OF_A_RUNNER)
    record = site.manager().list_records(settings())[0]
    assert record.state is PluginState.ACTIVE
    assert record.provides.runners == ("acme",)
    assert (record.distribution, record.version, record.edition) == ("acme-listed", "1.0", "community")
    assert record.manifest is not None
    assert record.manifest.permissions == ("network",)
    assert record.folder == site.folder / package
    assert len(record.file_hash) == 64
    assert package not in sys.modules


MANIFEST_OF_A_RUNNER = 'api = ">=1"\npermissions = ["network"]\n[provides]\nrunners = ["acme"]\n'


def test_the_file_hash_changes_with_the_code(site, settings):
    package = site.install("acme-hash")
    before = site.manager().list_records(settings())[0].file_hash
    file = site.folder / package / "plugin.py"
    file.write_text(file.read_text() + "changed = True\n")
    assert site.manager().list_records(settings())[0].file_hash != before


def test_a_plugin_is_loaded_and_what_it_registers_is_in_use(site, settings):
    site.install("acme-runner", RUNNER.format(name="acme"))
    loaded = site.manager().load(settings(), required=False)
    assert states(loaded) == {"acme-runner": PluginState.ACTIVE}
    assert str(loaded.runners["acme"].origin) == "acme-runner 1.0"


def test_the_manifest_of_an_editable_install_is_found_without_an_import(site, settings, tmp_path, monkeypatch):
    source = tmp_path / "checkout" / "src"
    package = site.install("acme-editable", RUNNER.format(name="acme"), editable=source)
    monkeypatch.syspath_prepend(str(source))
    records = site.manager().list_records(settings())
    assert records[0].state is PluginState.ACTIVE
    assert package not in sys.modules
    assert "acme" in site.manager().load(settings(), required=False).runners


def test_the_manifest_beside_a_nested_entry_module_is_found(site, settings):
    package = site.folder / "acme_nested" / "jobs"
    package.mkdir(parents=True)
    (package / "entry.py").write_text("")
    (package / "jobcore-plugin.toml").write_text('api = "==1.0"')
    site.packages.add("acme_nested")
    site.add_metadata("acme-nested", "1.0", {"nested": "acme_nested.jobs.entry"})
    assert site.manager().list_records(settings())[0].state is PluginState.ACTIVE
    assert not site.imported()


def test_a_plugin_without_a_manifest_is_not_imported_and_is_told_how_to_write_one(site, settings):
    site.install("acme-bare", "raise RuntimeError('imported')", manifest=None)
    loaded = site.manager().load(settings(), required=False)
    assert states(loaded) == {"acme-bare": PluginState.INCOMPATIBLE}
    assert "put jobcore-plugin.toml into acme_bare" in reason(loaded, "acme-bare")


@pytest.mark.parametrize("entry", ["missing_package.plugin", "missing_package"])
def test_a_plugin_whose_package_is_gone_is_incompatible(site, settings, entry):
    site.add_metadata("acme-gone", "1.0", {"gone": entry})
    assert states(site.manager().load(settings(), required=False)) == {"gone": PluginState.INCOMPATIBLE}


def test_a_manifest_that_is_not_text_is_incompatible(site, settings):
    package = site.install("acme-binary")
    (site.folder / package / "jobcore-plugin.toml").write_bytes(b"\xff\xfe")
    assert states(site.manager().load(settings(), required=False)) == {"acme-binary": PluginState.INCOMPATIBLE}


def test_a_plugin_for_another_api_is_not_imported(site, settings):
    site.install("acme-future", "raise RuntimeError('imported')", manifest='api = ">=2"')
    loaded = site.manager().load(settings(), required=False)
    assert states(loaded) == {"acme-future": PluginState.INCOMPATIBLE}
    assert "asks for plugin API >=2, and this jobcore has 1.0" in reason(loaded, "acme-future")


def test_the_block_list_works_before_the_import(site, settings):
    site.install("acme-blocked", "raise RuntimeError('imported')")
    site.install("acme-entry", "raise RuntimeError('imported')", entry="worse")
    loaded = site.manager().load(settings(plugins={"block": ["acme_blocked", "worse"]}), required=False)
    assert set(states(loaded).values()) == {PluginState.DISABLED}
    assert "plugins.block names it" in reason(loaded, "worse")
    assert not site.imported()


def test_the_allow_list_works_before_the_import(site, settings):
    site.install("acme-good")
    site.install("acme-other", "raise RuntimeError('imported')")
    loaded = site.manager().load(settings(plugins={"allow": ["acme-good"]}), required=False)
    assert states(loaded) == {"acme-good": PluginState.ACTIVE, "acme-other": PluginState.DISABLED}
    assert "acme_other" not in sys.modules


def test_no_distribution_gets_in_by_taking_the_entry_name_of_an_allowed_one(site, settings):
    site.install("evil-twin", "raise RuntimeError('imported')", entry="acme")
    loaded = site.manager().load(settings(plugins={"allow": ["acme", "acme-jobs:acme"]}), required=False)
    assert states(loaded) == {"acme": PluginState.DISABLED}


def test_one_entry_of_a_distribution_can_be_allowed(site, settings):
    package = site.install("acme-pair", entry="one")
    (site.folder / package / "second.py").write_text("raise RuntimeError('imported')")
    info = site.folder / "acme_pair-1.0.dist-info" / "entry_points.txt"
    info.write_text(info.read_text() + f"two = {package}.second\n")
    loaded = site.manager().load(settings(plugins={"allow": ["acme-pair:one"]}), required=False)
    assert states(loaded) == {"one": PluginState.ACTIVE, "two": PluginState.DISABLED}


def test_a_list_entry_that_means_nothing_is_told(site, settings, caplog):
    site.install("acme-mail")
    site.manager().load(settings(plugins={"block": ["acme-mial"]}), required=False)
    assert "plugins.block names 'acme-mial'" in caplog.text
    assert "Did you mean 'acme-mail'?" in caplog.text


def test_an_enterprise_plugin_is_not_imported_in_the_community_edition(site, settings):
    manifest = 'api = ">=1"\nedition = "enterprise"'
    site.install("acme-enterprise", manifest=manifest)
    assert states(site.manager().load(settings(), required=False)) == {"acme-enterprise": PluginState.DISABLED}
    assert not site.imported()
    enterprise = settings({"EDITION": "enterprise"})
    assert states(site.manager().load(enterprise, required=False)) == {"acme-enterprise": PluginState.ACTIVE}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "its import raised SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        (
            "@hookimpl\ndef jobcore_register_handlers(registry): raise SystemExit(1)",
            "its registration raised SystemExit",
        ),
        ("@hookimpl\ndef jobcore_register_handlers(registry): 1 / 0", "ZeroDivisionError"),
        ("@hookimpl\ndef jobcore_register_handlers(registry, colour): ...", "colour"),
        ("@hookimpl\ndef jobcore_register_colours(registry): ...", "jobcore_register_colours"),
        ("@hookimpl\nasync def jobcore_register_handlers(registry): ...", "is async"),
        ("@hookimpl(wrapper=True)\ndef jobcore_register_handlers(registry): return (yield)", "is a wrapper"),
        ("@hookimpl\ndef jobcore_register_cli(commands): commands.add('x', 'no target')", "'module:attribute'"),
        ("@hookimpl\ndef jobcore_register_cli(commands): commands.add('Not A Name', 'a:b')", "cannot name a command"),
        ("@hookimpl\ndef jobcore_register_observers(registry): registry.add(1)", "subclass of jobcore.ports.Observer"),
        ("@hookimpl\ndef jobcore_register_middleware(registry): registry.add(1)", "must be callable"),
        ("@hookimpl\ndef jobcore_register_checks(registry): registry.add('x', 1)", "must be callable"),
    ],
)
def test_a_plugin_that_fails_is_left_out_with_a_warning_and_the_others_load(site, settings, caplog, code, told):
    site.install("acme-broken", code)
    site.install("acme-sound", RUNNER.format(name="sound"))
    loaded = site.manager().load(settings(), required=False)
    assert states(loaded) == {"acme-broken": PluginState.FAILED, "acme-sound": PluginState.ACTIVE}
    assert told in reason(loaded, "acme-broken")
    assert "acme-broken 1.0 failed and is left out" in caplog.text
    assert "sound" in loaded.runners


def test_a_keyboard_interrupt_during_an_import_passes(site, settings):
    site.install("acme-interrupt", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        site.manager().load(settings(), required=False)


def test_an_import_that_does_not_end_is_given_up(site, settings):
    site.install("acme-hang", "import threading\nthreading.Event().wait()")
    loaded = site.manager().load(settings(plugins={"import_seconds": 0.2}), required=False)
    assert states(loaded) == {"acme-hang": PluginState.FAILED}
    assert "did not end within 0.2 s" in reason(loaded, "acme-hang")


def test_a_package_may_load_its_own_plugin_while_it_is_being_imported(site):
    """The plugin's import would otherwise wait in its thread for the package, and the package for the plugin."""
    package = site.install("acme-self", RUNNER.format(name="acme"))
    (site.folder / package / "__init__.py").write_text(
        "from pathlib import Path\n"
        "from jobcore.plugins.manager import PluginManager\n"
        "from jobcore.plugins.scan import scan\n"
        "from jobcore.settings import Settings\n"
        "find = lambda: [found for found in scan() if found.distribution == 'acme-self']\n"
        "settings = Settings.load(env={}, folder=Path(__file__).parent, plugins={'import_seconds': 5})\n"
        "loaded = PluginManager(find).load(settings, required=False)\n"
    )
    __import__(package)
    assert "acme" in sys.modules[package].loaded.runners


def test_a_plugin_that_raises_half_way_leaves_nothing_behind(site, settings):
    site.install(
        "acme-half", RUNNER.format(name="half") + HANDLER.format(name="half-job") + "    raise OSError('no')\n"
    )
    loaded = site.manager().load(settings(), required=False)
    assert loaded.runners == {}
    assert len(loaded.handlers) == 0
    assert loaded.hooks.get_plugins() == set()


def test_a_plugin_that_registers_what_it_did_not_declare_fails(site, settings):
    site.install("acme-liar", RUNNER.format(name="surprise"), manifest='api = ">=1"')
    loaded = site.manager().load(settings(), required=False)
    assert "registers runner 'surprise', which [provides]" in reason(loaded, "acme-liar")
    assert loaded.runners == {}


def test_a_wrong_setting_of_a_plugin_stops_the_start_though_nothing_needs_the_plugin(site, settings):
    site.install(
        "acme-set",
        """
        from pydantic import BaseModel

        class Section(BaseModel):
            seconds: float = 1

        @hookimpl
        def jobcore_register_runners(registry, settings):
            settings.section("acme-set", Section)
        """,
    )
    wrong = settings(**{"acme-set": {"seconds": "long"}})
    with pytest.raises(ConfigurationError, match="the argument acme-set.seconds is text of 4 characters"):
        site.manager().load(wrong, required=False)


def test_strict_mode_stops_the_start_for_any_broken_plugin(site, settings):
    site.install("acme-broken", "raise OSError('disc')")
    site.install("acme-old", manifest='api = "<1"')
    with pytest.raises(RequiredPluginError, match="(?s)acme-broken 1.0 is failed.*acme-old 1.0 is incompatible"):
        site.manager().load(settings(plugins={"strict": True}), required=False)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (RUNNER.format(name="same"), RUNNER.format(name="same"), "runner"),
        (HANDLER.format(name="same"), HANDLER.format(name="same"), "handler"),
    ],
)
def test_two_that_claim_one_name_are_both_named_with_their_versions(site, settings, first, second, kind):
    site.install("acme-one", first, version="1.2")
    site.install("acme-two", second, version="3.4")
    with pytest.raises(ConflictError, match=f"{kind} 'same': acme-one 1.2 and acme-two 3.4") as caught:
        site.manager().load(settings(), required=False)
    assert f'plugins.prefer = {{"{kind}:same" = "acme-one"}}' in str(caught.value)


@pytest.mark.parametrize("winner", ["acme-one", "acme-two"])
def test_the_settings_may_say_whose_wins(site, settings, winner):
    site.install("acme-one", HANDLER.format(name="same"))
    site.install("acme-two", HANDLER.format(name="same"))
    loaded = site.manager().load(settings(plugins={"prefer": {"handler:same": winner}}), required=False)
    assert loaded.handlers.source_of("same") == f"{winner} 1.0"


def test_a_preference_for_a_third_party_settles_nothing(site, settings):
    site.install("acme-one", RUNNER.format(name="same"))
    site.install("acme-two", RUNNER.format(name="same"))
    with pytest.raises(ConflictError):
        site.manager().load(settings(plugins={"prefer": {"runner:same": "acme-three"}}), required=False)


def test_an_enterprise_handler_is_left_out_of_the_community_edition(site, settings):
    code = HANDLER.format(name="dear").replace("@job('dear')", "@job('dear', edition='enterprise')")
    site.install("acme-dear", code)
    assert not site.manager().load(settings(), required=False).handlers.has("dear")
    enterprise = settings({"EDITION": "enterprise"})
    assert site.manager().load(enterprise, required=False).handlers.has("dear")


class Own:
    @hookimpl
    def jobcore_register_cli(self, commands):
        commands.add("own", "json:dumps", "Dump.")


def test_an_application_passes_plugins_of_its_own(site, settings):
    loaded = site.manager().load(settings(), extra=[Own()], required=False)
    assert loaded.commands["own"].load()({}) == "{}"
    assert loaded.records[-1].distribution == "application"


def test_a_broken_plugin_of_the_application_stops_the_start(site, settings):
    class Broken:
        @hookimpl
        def jobcore_register_cli(self, commands):
            commands.add("own", "no target")

    with pytest.raises(PluginError, match="the application .plugin 'Broken'.: the command 'own' names 'no target'"):
        site.manager().load(settings(), extra=[Broken()], required=False)


def test_a_plugin_of_the_application_that_raises_stops_the_start(site, settings):
    class Raises:
        @hookimpl
        def jobcore_register_cli(self):
            raise OSError("disc")

    with pytest.raises(PluginError, match="own plugin 'Raises' cannot be used: its registration raised OSError: disc"):
        site.manager().load(settings(), extra=[Raises()], required=False)


def test_a_conflict_with_the_application_names_it(site, settings):
    code = "@hookimpl\ndef jobcore_register_cli(commands): commands.add('own', 'a:b')"
    site.install("acme-own", code)
    with pytest.raises(ConflictError, match=r"acme-own 1.0 and the application \(plugin 'Own'\)"):
        site.manager().load(settings(), extra=[Own()], required=False)
    loaded = site.manager().load(
        settings(plugins={"prefer": {"command:own": "application"}}), extra=[Own()], required=False
    )
    assert loaded.commands["own"].target == "json:dumps"


def test_a_lazy_target_that_is_not_there_names_its_distribution(site, settings):
    site.install("acme-lazy", "@hookimpl\ndef jobcore_register_cli(commands): commands.add('lazy', 'json:nothing')")
    command = site.manager().load(settings(), required=False).commands["lazy"]
    with pytest.raises(PluginError, match="acme-lazy 1.0 offers 'lazy' as json:nothing"):
        command.load()


def test_a_disabled_plugin_is_told_at_info_and_an_incompatible_one_at_warning(site, settings, caplog):
    caplog.set_level(logging.INFO)
    site.install("acme-blocked")
    site.install("acme-bare", manifest=None)
    site.manager().load(settings(plugins={"block": ["acme-blocked"]}), required=False)
    assert {(line.args[0], line.levelname) for line in caplog.records} == {
        ("acme-blocked", "INFO"),
        ("acme-bare", "WARNING"),
    }


def test_the_manager_scans_once(site):
    calls = []
    manager = PluginManager(lambda: calls.append(1) or [])
    manager._plugins()
    manager._plugins()
    assert calls == [1]


def test_the_hooks_and_the_listing_import_no_driver_and_no_engine():
    code = (
        "import sys, jobcore\n"
        "from jobcore.plugins.hooks import hookimpl\n"
        "early = {'pydantic_settings', 'typer', 'dotenv'} & set(sys.modules)\n"
        "from jobcore.plugins.manager import PluginManager\n"
        "from jobcore.settings import Settings\n"
        "PluginManager().list_records(Settings.load(env={}))\n"
        "drivers = {'psycopg', 'temporalio', 'fastapi', 'typer', 'jobcore_postgres', 'jobcore_pgboss'}\n"
        "late = drivers & set(sys.modules)\n"
        "print(sorted(early | late))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path("/"))
    assert done.stdout.strip() == "[]"


def test_the_real_scan_finds_what_is_installed():
    assert all(found.distribution and found.name and found.module for found in scan())
