"""Every hook has an exact signature, a page, and a test; the last tests here enforce all three."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from jobcore import job
from jobcore.errors import ConfigurationError, PluginError
from jobcore.models import NewJob
from jobcore.plugins import HOOK_NAMES, hooks
from jobcore.plugins.hooks import hookimpl
from jobcore.plugins.registries import CheckResult
from jobcore.ports import Capabilities, Observer, Question, Reason, Severity

ROOT = Path(__file__).parents[3]
SIGNATURES = {
    "jobcore_register_runners": "(registry: RunnerRegistry, settings: Settings) -> None",
    "jobcore_register_storages": "(registry: StorageRegistry, settings: Settings) -> None",
    "jobcore_register_handlers": "(registry: JobHandlerRegistry) -> None",
    "jobcore_register_middleware": "(registry: MiddlewareRegistry) -> None",
    "jobcore_register_observers": "(registry: ObserverRegistry) -> None",
    "jobcore_register_cli": "(commands: CommandRegistry) -> None",
    "jobcore_register_panels": "(registry: PanelRegistry) -> None",
    "jobcore_register_checks": "(registry: CheckRegistry) -> None",
    "jobcore_register_reasons": "(registry: ReasonRegistry) -> None",
    "jobcore_app_configured": "(app: Any) -> None",
    "jobcore_select_runner": "(job: NewJob, runners: Mapping[str, RegisteredRunner]) -> str | None",
}


def a_job(name: str = "report") -> NewJob:
    return NewJob(
        job_id=UUID(int=1), tenant=UUID(int=2), name=name, payload=b"{}", runner_type="slow", queue=name, priority=5
    )


@pytest.fixture
def load(site, settings):
    def loading(*plugins: object):
        return site.manager().load(settings(), extra=plugins, required=False)

    return loading


class TwoRunners:
    @hookimpl
    def jobcore_register_runners(self, registry, settings):
        assert settings.worker.concurrency == 10
        for name in ("slow", "fast"):
            registry.register_runner(
                name, lambda context: context, capabilities=Capabilities(cancel_latency=timedelta(seconds=2))
            )


def test_jobcore_register_runners_offers_factories_with_their_capabilities(load):
    loaded = load(TwoRunners())
    assert sorted(loaded.runners) == ["fast", "slow"]
    assert loaded.runners["fast"].capabilities.cancel_latency == timedelta(seconds=2)
    assert loaded.runners["fast"].factory("the context") == "the context"


def test_jobcore_register_storages_offers_factories(load):
    class Plugin:
        @hookimpl
        def jobcore_register_storages(self, registry, settings):
            registry.register_storage("shelf", lambda given: ("a store of", given is settings))

    assert load(Plugin()).storages["shelf"].factory is not None


def test_jobcore_register_handlers_makes_handlers_known(load):
    @job("tidy-up")
    async def tidy_up(ctx, data: dict): ...

    class Plugin:
        @hookimpl
        def jobcore_register_handlers(self, registry):
            registry.register(tidy_up)

    assert load(Plugin()).handlers.get("tidy-up") is tidy_up


async def test_jobcore_register_middleware_is_ordered_with_the_lowest_outermost(load):
    async def inner(ctx, call_next): ...
    async def outer(ctx, call_next): ...
    async def also_inner(ctx, call_next): ...

    class Plugin:
        @hookimpl
        def jobcore_register_middleware(self, registry):
            registry.add(inner)
            registry.add(outer, order=-1)
            registry.add(also_inner)

    assert load(Plugin()).middleware == (outer, inner, also_inner)


def test_jobcore_register_observers_tells_the_lowest_order_first(load):
    first, second, third = Observer(), Observer(), Observer()

    class Plugin:
        @hookimpl
        def jobcore_register_observers(self, registry):
            registry.add(second)
            registry.add(first, order=-1)
            registry.add(third)

    assert load(Plugin()).observers == (first, second, third)


async def test_of_equal_orders_plugins_come_by_name_and_the_application_last(load):
    """So that what one plugin wraps does not depend on which was installed first."""

    class Plugin:
        def __init__(self, order: int) -> None:
            self.order = order
            self.observer = Observer()

        async def middleware(self, ctx, call_next): ...

        @hookimpl
        def jobcore_register_middleware(self, registry):
            registry.add(self.middleware, order=self.order)

        @hookimpl
        def jobcore_register_observers(self, registry):
            registry.add(self.observer, order=self.order)

    early, one, two, late = Plugin(-5), Plugin(0), Plugin(0), Plugin(5)
    loaded = load(late, one, two, early)
    wanted = [early, one, two, late]
    assert list(loaded.middleware) == [plugin.middleware for plugin in wanted]
    assert list(loaded.observers) == [plugin.observer for plugin in wanted]


def test_an_observer_that_would_have_to_be_awaited_is_refused(load):
    class Slow(Observer):
        async def job_started(self, claim): ...

    class Plugin:
        @hookimpl
        def jobcore_register_observers(self, registry):
            registry.add(Slow())

    with pytest.raises(PluginError, match="Slow.job_started is async, and nobody would await it: write 'def'"):
        load(Plugin())


def test_jobcore_register_cli_imports_nothing_until_a_command_is_called(load):
    class Plugin:
        @hookimpl
        def jobcore_register_cli(self, commands):
            commands.add("tidy", "a_module_that_is_not_there:app", "Tidy up.")

    command = load(Plugin()).commands["tidy"]
    assert command.text == "Tidy up."
    with pytest.raises(PluginError, match="a_module_that_is_not_there"):
        command.load()


def test_jobcore_register_panels_names_title_and_target(load):
    class Plugin:
        @hookimpl
        def jobcore_register_panels(self, registry):
            registry.add("costs", "Costs", "json:dumps")

    panel = load(Plugin()).panels["costs"]
    assert (panel.text, panel.target) == ("Costs", "json:dumps")


async def test_jobcore_register_checks_offers_checks_of_the_doctor(load):
    async def is_there(app: object) -> CheckResult:
        return CheckResult("disc", ok=False, message=f"{app} is full", remedy="empty it")

    class Plugin:
        @hookimpl
        def jobcore_register_checks(self, registry):
            registry.add("disc", is_there)

    (check,) = load(Plugin()).checks
    assert await check.check("/") == CheckResult("disc", ok=False, message="/ is full", remedy="empty it")


class Budget:
    """A finder of one reason, as a plugin brings it."""

    async def explain(self, question: Question) -> Reason | None:
        return Reason(severity=Severity.BLOCKED, summary="The budget is spent.", facts={"job": question.job})


def test_jobcore_register_reasons_offers_finders_for_all_runners_or_one(load):
    class Plugin:
        @hookimpl
        def jobcore_register_reasons(self, registry):
            registry.add("budget", Budget())
            registry.add("budget", Budget(), runner="fast")

    general, of_one = load(Plugin()).reasons
    assert (general.name, general.code, general.runner) == ("budget", "budget", None)
    assert (of_one.name, of_one.code, of_one.runner) == ("fast.budget", "budget", "fast")


def test_jobcore_register_reasons_refuses_what_cannot_explain(load):
    class Plugin:
        @hookimpl
        def jobcore_register_reasons(self, registry):
            registry.add("budget", lambda question: None)

    with pytest.raises(PluginError, match=r"needs an object with an async explain\(question\), not function"):
        load(Plugin())


def test_jobcore_app_configured_hears_of_the_app_once(load):
    heard = []

    class Plugin:
        @hookimpl
        def jobcore_app_configured(self, app):
            heard.append(app)

    class Careless:
        @hookimpl
        def jobcore_app_configured(self):
            heard.append("without the app")

    load(Plugin(), Careless()).app_configured("the app")
    assert heard == ["the app", "without the app"]


def test_wrong_settings_are_told_as_such_and_not_as_a_fault_of_the_plugin(load):
    class Plugin:
        @hookimpl
        def jobcore_app_configured(self, app):
            raise ConfigurationError("JOBCORE_ACME__PRT is not known.")

    with pytest.raises(ConfigurationError, match=r"^JOBCORE_ACME__PRT is not known\.$"):
        load(Plugin()).app_configured("the app")


def test_a_plugin_that_raises_in_jobcore_app_configured_is_named(load):
    class Plugin:
        @hookimpl
        def jobcore_app_configured(self, app):
            raise OSError("disc")

    with pytest.raises(PluginError, match="Plugin 'Plugin' of the application.*OSError: disc"):
        load(Plugin()).app_configured("the app")


class ReportsAreFast:
    """What a user writes to choose the runner of some jobs."""

    @hookimpl
    def jobcore_select_runner(self, job, runners):
        return "fast" if job.name == "report" and "fast" in runners else None


def test_a_users_own_jobcore_select_runner_selects_the_runner(load):
    loaded = load(TwoRunners(), ReportsAreFast())
    assert loaded.select_runner(a_job("report")) == "fast"
    assert loaded.select_runner(a_job("other")) is None


def test_a_users_own_hook_is_asked_before_those_of_installed_plugins(site, settings):
    site.install("acme-chooser", "@hookimpl\ndef jobcore_select_runner(job): return 'slow'")
    loaded = site.manager().load(settings(), extra=[TwoRunners(), ReportsAreFast()], required=False)
    assert loaded.select_runner(a_job("report")) == "fast"
    assert loaded.select_runner(a_job("other")) == "slow"


def test_installed_plugins_are_asked_by_distribution_unless_they_say_first(site, settings):
    site.install("acme-b", "@hookimpl\ndef jobcore_select_runner(runners): return 'slow'")
    site.install("acme-a", "@hookimpl\ndef jobcore_select_runner(job): return 'fast'")
    extra = [TwoRunners()]
    assert site.manager().load(settings(), extra=extra, required=False).select_runner(a_job()) == "fast"
    site.install("acme-c", "@hookimpl(tryfirst=True)\ndef jobcore_select_runner(job): return 'slow'")
    assert site.manager().load(settings(), extra=extra, required=False).select_runner(a_job()) == "slow"


def test_a_plugin_that_raises_in_jobcore_select_runner_is_skipped_with_one_warning(load, caplog):
    class AlwaysRaises:
        @hookimpl
        def jobcore_select_runner(self, job):
            raise ZeroDivisionError(job.name)

    loaded = load(TwoRunners(), AlwaysRaises(), ReportsAreFast())
    assert [loaded.select_runner(a_job()) for _ in range(3)] == ["fast"] * 3
    assert caplog.text.count("raised ZeroDivisionError: report in jobcore_select_runner and is skipped") == 1


def test_a_choice_of_a_runner_that_is_not_registered_is_skipped_with_a_warning(load, caplog):
    class Dreams:
        @hookimpl
        def jobcore_select_runner(self):
            return "cloud"

    loaded = load(TwoRunners(), Dreams(), ReportsAreFast())
    assert loaded.select_runner(a_job()) == "fast"
    assert "chose the runner 'cloud', which is not registered (fast, slow)" in caplog.text


def test_every_hook_has_exactly_the_signature_that_is_promised():
    found = {name: str(inspect.signature(getattr(hooks, name))).replace("'", "") for name in HOOK_NAMES}
    assert found == SIGNATURES


def test_every_hook_is_documented_with_its_exact_signature():
    page = (ROOT / "docs/reference/hooks.md").read_text()
    documented = dict(re.findall(r"^def (jobcore_\w+)(\(.*\) -> .*)$", page, re.MULTILINE))
    assert documented == SIGNATURES
    assert all(inspect.getdoc(getattr(hooks, name)) for name in HOOK_NAMES)


def test_every_hook_has_a_test_that_names_it():
    tests = [name for name in globals() if name.startswith("test_")]
    assert not [hook for hook in HOOK_NAMES if not any(hook in test for test in tests)]
