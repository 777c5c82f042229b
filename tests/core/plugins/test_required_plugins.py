"""What the configuration needs must be there; if not, the message says what to do."""

from __future__ import annotations

import pytest

from jobcore.errors import (
    ConfigurationError,
    EditionError,
    RequiredPluginError,
    UnknownRunnerError,
    UnknownStorageError,
)
from jobcore.plugins.known import KNOWN_PARTS
from jobcore.plugins.required import require_runner

PARTS = """
@hookimpl
def jobcore_register_runners(registry):
    registry.register_runner({runner!r}, lambda context: None, capabilities=Capabilities())

@hookimpl
def jobcore_register_storages(registry):
    registry.register_storage({storage!r}, lambda settings: None)
"""


def declares(runner: str, edition: str = "community", storage: str = "none") -> str:
    return f'api = ">=1"\nedition = "{edition}"\n[provides]\nrunners = ["{runner}"]\nstorages = ["{storage}"]\n'


def install_parts(site, name: str = "acme-parts", *, runner: str, storage: str) -> None:
    """Install a plugin that brings a runner and a storage."""
    code = PARTS.format(runner=runner, storage=storage)
    site.install(name, code, manifest=declares(runner, storage=storage))


def test_what_the_defaults_ask_for_is_accepted_when_it_is_there(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    assert set(site.manager().load(settings()).runners) == {"pgboss"}


def test_a_known_runner_that_is_not_installed_is_told_with_the_command_that_installs_it(site, settings):
    install_parts(site, runner="acme", storage="postgres")
    with pytest.raises(UnknownRunnerError) as caught:
        site.manager().load(settings())
    assert str(caught.value) == (
        "No installed plugin brings the runner 'pgboss' (JOB_RUNNER_TYPE). Installed runners: acme (acme-parts 1.0). "
        "To install it: pip install jobcore-pgboss-runner (see docs/how-to/install-a-plugin.md)."
    )


def test_no_message_tells_to_install_the_foreign_distribution_of_our_name():
    assert all(part.distribution.startswith("jobcore-") for part in KNOWN_PARTS.values())


def test_an_unknown_runner_is_told_with_near_names(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    with pytest.raises(UnknownRunnerError, match="'pgbos'.*Did you mean 'pgboss'"):
        site.manager().load(settings({"JOB_RUNNER_TYPE": "pgbos"}))


def test_an_unknown_storage_is_told_with_what_is_installed(site, settings):
    install_parts(site, runner="pgboss", storage="acme")
    with pytest.raises(UnknownStorageError, match="pip install jobcore-postgres-storage"):
        site.manager().load(settings())


def test_a_broken_plugin_that_brings_the_configured_runner_stops_the_start(site, settings):
    site.install("acme-broken", "raise OSError('disc')", manifest=declares("acme"))
    with pytest.raises(RequiredPluginError, match="runner 'acme'.*acme-broken 1.0, which is failed: .*OSError: disc"):
        site.manager().load(settings({"JOB_RUNNER_TYPE": "acme"}))


def test_a_blocked_plugin_that_brings_the_configured_runner_says_which_list_to_change(site, settings):
    site.install("acme-blocked", manifest=declares("acme"))
    blocked = settings({"JOB_RUNNER_TYPE": "acme", "JOBCORE_PLUGINS__BLOCK": "acme-blocked"})
    with pytest.raises(RequiredPluginError, match="plugins.block names it; take it out of that list"):
        site.manager().load(blocked)


def test_a_plugin_that_declares_the_runner_and_registers_none_is_named(site, settings):
    site.install("acme-idle", manifest=declares("acme"))
    with pytest.raises(RequiredPluginError, match="it registered no such runner"):
        site.manager().load(settings({"JOB_RUNNER_TYPE": "acme"}))


def test_a_broken_plugin_that_brings_the_configured_storage_stops_the_start(site, settings):
    install_parts(site, "acme-runner", runner="pgboss", storage="other")
    site.install("acme-broken", "raise OSError('disc')", manifest='api = ">=1"\n[provides]\nstorages = ["postgres"]')
    with pytest.raises(RequiredPluginError, match=r"storage 'postgres' \(JOBCORE_STORAGE\)"):
        site.manager().load(settings())


@pytest.mark.parametrize("pattern", ["acme-broken", "Acme_Broken", "acme-broken:entry", "entry"])
def test_a_required_plugin_that_is_not_active_stops_the_start(site, settings, pattern):
    install_parts(site, runner="pgboss", storage="postgres")
    site.install("acme-broken", "raise OSError('disc')", entry="entry")
    with pytest.raises(RequiredPluginError, match=f"plugins.require names '{pattern}'.*is failed.*OSError: disc"):
        site.manager().load(settings(plugins={"require": [pattern]}))


def test_a_required_plugin_that_is_not_installed_stops_the_start(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    with pytest.raises(RequiredPluginError, match="no installed plugin has this name. Did you mean 'acme-parts'"):
        site.manager().load(settings(plugins={"require": ["acme-part"]}))


def test_required_plugins_that_are_active_are_accepted(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    assert site.manager().load(settings(plugins={"require": ["acme-parts"]})).runners


def test_the_community_edition_refuses_temporal_with_the_reason(site, settings):
    install_parts(site, runner="temporal", storage="postgres")
    with pytest.raises(EditionError) as caught:
        site.manager().load(settings({"JOB_RUNNER_TYPE": "temporal", "EDITION": "community"}))
    assert str(caught.value) == (
        "The runner 'temporal' belongs to the enterprise edition, and the edition in force is community: "
        "set EDITION=enterprise, or JOB_RUNNER_TYPE to one of the community edition."
    )


def test_the_community_edition_refuses_temporal_also_where_it_is_not_installed(site, settings):
    with pytest.raises(EditionError):
        site.manager().load(settings({"JOB_RUNNER_TYPE": "temporal"}))


def test_the_enterprise_edition_takes_temporal_by_default_where_it_is_installed(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    enterprise = settings({"EDITION": "enterprise"})
    assert enterprise.chosen_runner(site.manager().load(enterprise).runners) == "pgboss"
    install_parts(site, "acme-more", runner="temporal", storage="more")
    assert enterprise.chosen_runner(site.manager().load(enterprise).runners) == "temporal"


def test_the_enterprise_edition_never_takes_another_runner_because_temporals_plugin_is_broken(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    site.install("acme-broken", "raise OSError('disc')", manifest=declares("temporal", "enterprise"))
    with pytest.raises(RequiredPluginError, match="runner 'temporal'"):
        site.manager().load(settings({"EDITION": "enterprise"}))


def test_a_runner_that_a_job_names_is_checked_in_the_same_words(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    enterprise = settings({"EDITION": "enterprise"})
    loaded = site.manager().load(enterprise)
    require_runner("pgboss", loaded, enterprise.edition)
    with pytest.raises(UnknownRunnerError, match="pip install jobcore-temporal-runner"):
        require_runner("temporal", loaded, enterprise.edition)


def test_a_section_that_is_nearly_a_plugins_name_is_taken_for_a_mistake(site, settings):
    install_parts(site, runner="pgboss", storage="postgres")
    with pytest.raises(ConfigurationError, match="JOBCORE_PGBOS is not known. Did you mean 'pgboss'"):
        site.manager().load(settings({"JOBCORE_PGBOS__LEASE_SECONDS": "3"}))


def test_a_section_of_a_plugin_that_is_not_installed_is_told(site, settings, caplog):
    install_parts(site, runner="pgboss", storage="postgres")
    site.manager().load(settings({"JOBCORE_OTHERS__KEY": "3", "JOBCORE_PGBOSS__KEY": "3"}))
    assert "The section JOBCORE_OTHERS belongs to no installed plugin" in caplog.text
    assert "PGBOSS" not in caplog.text
