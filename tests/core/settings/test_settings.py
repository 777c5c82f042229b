"""Settings: where they come from, who wins, and how a wrong one is told."""

from __future__ import annotations

import logging
import pickle
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from jobcore.errors import ConfigurationError
from jobcore.limits import PayloadLimits
from jobcore.settings import FOUNDING_VARIABLES, Edition, Settings, WorkerSettings, variable_of
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.settings import PostgresSettings
from jobcore_temporal.settings import TemporalRunnerSettings

ROOT = Path(__file__).parents[3]
URL = "postgresql://jobs:hunter2@db:5432/app"


@pytest.fixture
def load(tmp_path):
    """Read settings that see nothing of the machine."""

    def read(env: dict[str, str] | None = None, **overrides: object) -> Settings:
        return Settings.load(env=env or {}, folder=tmp_path, **overrides)

    return read


def problems(load, env: dict[str, str] | None = None, **overrides: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(env, **overrides)
    return str(caught.value)


def test_the_defaults_are_those_of_the_founding_documents(load):
    settings = load()
    assert settings.chosen_runner({"memory"}) == "pgboss"
    assert settings.fallback_to_pgboss
    assert settings.edition is Edition.COMMUNITY
    assert settings.temporal.address == "temporal-frontend.temporal.svc.cluster.local:7233"
    assert settings.temporal.namespace == "default"
    assert settings.temporal.task_queue == "alga-jobs"
    assert (settings.storage, settings.env) == ("postgres", "production")
    assert (settings.worker.concurrency, settings.worker.grace_seconds) == (10, 30)
    assert settings.limits.payload == PayloadLimits()


def test_the_founding_variables_keep_their_names(load):
    settings = load(
        {
            "JOB_RUNNER_TYPE": "temporal",
            "JOB_RUNNER_FALLBACK_TO_PGBOSS": "false",
            "EDITION": "Enterprise",
            "TEMPORAL_ADDRESS": "[::1]:7233",
            "TEMPORAL_NAMESPACE": "jobs",
            "TEMPORAL_JOB_TASK_QUEUE": "mine",
            "DATABASE_URL": URL,
            "BULL_BOARD_USERNAME": "admin",
            "BULL_BOARD_PASSWORD": "hunter2",
        }
    )
    assert settings.chosen_runner(()) == "temporal"
    assert not settings.fallback_to_pgboss
    assert settings.edition is Edition.ENTERPRISE
    assert settings.temporal.address == "[::1]:7233"
    assert (settings.temporal.namespace, settings.temporal.task_queue) == ("jobs", "mine")
    assert settings.database.dsn() == URL
    assert settings.dashboard.username == "admin"
    assert settings.dashboard.password == SecretStr("hunter2")


def test_our_variables_nest_with_two_underscores_and_split_lists_at_commas(load):
    settings = load(
        {
            "JOBCORE_WORKER__CONCURRENCY": "3",
            "JOBCORE_PLUGINS__ALLOW": "acme-jobs, jobcore-pgboss-runner,",
            "JOBCORE_PLUGINS__PREFER": '{"handler:x": "acme-jobs"}',
            "JOBCORE_ROUTES": '{"report-*": "temporal", "*": {"runner": "pgboss", "percent": 10}}',
            "JOBCORE_ENV": "TEST",
        }
    )
    assert settings.worker.concurrency == 3
    assert settings.plugins.allow == ("acme-jobs", "jobcore-pgboss-runner")
    assert settings.plugins.prefer == {"handler:x": "acme-jobs"}
    assert [(pattern, route.runner, route.percent) for pattern, route in settings.routes.items()] == [
        ("report-*", "temporal", 100),
        ("*", "pgboss", 10),
    ]
    assert settings.env == "test"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("jobcore.toml", 'storage = "memory"\n[worker]\nconcurrency = 4\ngrace_seconds = 1\n'),
        (
            "pyproject.toml",
            '[tool.jobcore]\nstorage = "memory"\n[tool.jobcore.worker]\nconcurrency = 4\ngrace_seconds = 1\n',
        ),
    ],
)
def test_arguments_win_over_variables_and_variables_over_the_file(load, tmp_path, file, text):
    (tmp_path / file).write_text(text)
    settings = load(
        {"JOBCORE_WORKER__CONCURRENCY": "5", "JOBCORE_WORKER__GRACE_SECONDS": "2"}, worker={"grace_seconds": 3}
    )
    assert settings.storage == "memory"
    assert settings.worker == WorkerSettings(concurrency=5, grace_seconds=3)


def test_a_section_may_be_passed_as_an_object_and_counts_with_what_was_set_in_it(load):
    settings = load({"JOBCORE_WORKER__CONCURRENCY": "5"}, worker=WorkerSettings(grace_seconds=3))
    assert settings.worker == WorkerSettings(concurrency=5, grace_seconds=3)


def test_settings_are_read_from_the_process_and_the_current_folder_by_default(tmp_path, monkeypatch):
    (tmp_path / "jobcore.toml").write_text("[worker]\nconcurrency = 4\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBCORE_WORKER__GRACE_SECONDS", "2")
    assert Settings.load().worker == WorkerSettings(concurrency=4, grace_seconds=2)


def test_a_file_elsewhere_is_named_by_a_variable(load, tmp_path):
    (tmp_path / "other.toml").write_text('storage = "memory"')
    assert load({"JOBCORE_CONFIG": "other.toml"}).storage == "memory"
    assert "JOBCORE_CONFIG names gone.toml, which is not a file." in problems(load, {"JOBCORE_CONFIG": "gone.toml"})


def test_a_project_without_our_table_is_none_of_our_business(load, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert load().storage == "postgres"


def test_two_files_with_settings_are_one_too_many(load, tmp_path):
    (tmp_path / "jobcore.toml").write_text("")
    (tmp_path / "pyproject.toml").write_text("[tool.jobcore]\n")
    assert "both hold settings: keep one of them" in problems(load)


def test_a_file_that_is_not_toml_is_named(load, tmp_path):
    (tmp_path / "jobcore.toml").write_text("storage = \n")
    assert re.search(r"jobcore.toml cannot be read as TOML: .*line 1", problems(load))


def test_an_empty_variable_counts_as_not_set(load):
    assert load({"JOB_RUNNER_TYPE": "", "JOBCORE_WORKER__CONCURRENCY": "", "DATABASE_URL": ""}).worker.concurrency == 10


def test_a_wrong_value_names_the_variable_its_shape_and_what_is_accepted(load):
    message = problems(
        load,
        {
            "JOBCORE_WORKER__CONCURRENCY": "many",
            "JOBCORE_WORKER__GRACE_SECONDS": "-1",
            "EDITION": "enterprize",
            "TEMPORAL_ADDRESS": "http://temporal:7233",
            "JOB_RUNNER_TYPE": "PG Boss",
            "JOBCORE_PLUGINS__PREFER": "{",
        },
    )
    assert "JOBCORE_WORKER__CONCURRENCY is text of 4 characters. It should be a valid integer" in message
    assert "JOBCORE_WORKER__GRACE_SECONDS is text of 2 characters. It should be greater than or equal to 0" in message
    assert (
        "EDITION is text of 10 characters. It should be 'community' or 'enterprise'. Did you mean 'enterprise'?"
        in message
    )
    assert "TEMPORAL_ADDRESS is text of 20 characters. Write host:port" in message
    assert "JOB_RUNNER_TYPE is text of 7 characters. A name has lower-case letters" in message
    assert "JOBCORE_PLUGINS__PREFER is text of 1 characters. Write a JSON object" in message


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("jobcore.toml", "[worker]\nconcurrency = 0\n", "jobcore.toml: [worker] concurrency"),
        (
            "pyproject.toml",
            "[tool.jobcore.worker]\nconcurrency = 0\n",
            "pyproject.toml: [tool.jobcore.worker] concurrency",
        ),
    ],
)
def test_a_wrong_value_names_the_file_and_the_key(load, tmp_path, file, text, where):
    (tmp_path / file).write_text(text)
    assert f"{where} is a number. It should be greater than or equal to 1." in problems(load)


def test_a_wrong_argument_is_named_as_one(load):
    assert "the argument worker.concurrency is a list of 0 entries" in problems(load, worker={"concurrency": []})


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"JOBCORE_WORKER__CONCURENCY": "1"}, "JOBCORE_WORKER__CONCURENCY is not known. Did you mean 'concurrency'?"),
        ({"JOBCORE_WORKER": "1"}, "JOBCORE_WORKER is text of 1 characters."),
        ({"JOBCORE_WORKER": "1", "JOBCORE_WORKER__QUEUES": "a"}, "contradict"),
        ({"JOBCORE_RUNNER": "pgboss"}, "JOBCORE_RUNNER is not read: write JOB_RUNNER_TYPE."),
        ({"JOBCORE_DATABASE__URL": "x"}, "JOBCORE_DATABASE__URL is not read: write DATABASE_URL."),
        ({"JOBCORE___X": "x"}, "JOBCORE___X is not a name"),
        ({"DB_NAME": "a", "DB_NAME_SERVER": "b"}, "DB_NAME and DB_NAME_SERVER mean the same setting and differ"),
        ({"JOBCORE_PLUGINS__PREFER": '{"x": "y"}'}, "the keys are written 'kind:name'"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused(load, env, told):
    assert told.lower() in problems(load, env).lower()


def test_an_unknown_key_in_the_file_is_refused_with_near_names(load, tmp_path):
    (tmp_path / "jobcore.toml").write_text('storge = "memory"\n[worker]\nconcurency = 1\n')
    message = problems(load)
    assert "jobcore.toml: storge is not known. Did you mean 'storage'?" in message
    assert "jobcore.toml: [worker] concurency is not known. Did you mean 'concurrency'?" in message


def test_an_unknown_variable_without_a_section_is_a_warning(load, caplog):
    settings = load({"JOBCORE_SERVICE_HOST": "10.0.0.1", "JOBCORE_STORGE": "memory"})
    assert settings.storage == "postgres"
    assert "JOBCORE_SERVICE_HOST is not known and is ignored. The key of a section is written with two" in caplog.text
    assert "JOBCORE_STORGE is not known and is ignored. Did you mean 'STORAGE'?" in caplog.text
    assert "10.0.0.1" not in caplog.text


# -- database ----------------------------------------------------------------------------------------------------------

PARTS = {"DB_HOST": "db", "DB_PORT": "6432", "DB_NAME_SERVER": "a/b", "DB_USER": "j@bs", "DB_PASSWORD": "p:w/%"}


def test_the_database_may_be_named_by_its_parts(load):
    database = load(PARTS).database
    assert database.dsn() == "postgresql://j%40bs:p%3Aw%2F%25@db:6432/a%2Fb"
    assert database.is_configured


@pytest.mark.parametrize(
    ("host", "dsn"),
    [("::1", "postgresql://u@[::1]:5432/n"), ("/run/pg", "postgresql://u@/n?host=%2Frun%2Fpg&port=5432")],
)
def test_the_host_may_be_an_address_or_a_socket(load, host, dsn):
    assert load({"DB_HOST": host, "DB_NAME": "n", "DB_USER": "u"}).database.dsn() == dsn


def test_without_a_database_the_first_use_says_what_to_set(load):
    database = load().database
    assert not database.is_configured
    with pytest.raises(ConfigurationError, match="set DATABASE_URL .* or DB_HOST, DB_PORT, DB_NAME, DB_USER"):
        database.dsn()


def test_both_ways_at_once_are_refused(load):
    assert "Set DATABASE_URL or the DB_* variables, not both" in problems(load, {"DATABASE_URL": URL, **PARTS})


def test_missing_parts_are_named(load):
    assert "DB_NAME and DB_USER must be set too" in problems(load, {"DB_HOST": "db"})


def test_the_higher_place_decides_in_which_way_the_database_is_named(load, tmp_path):
    (tmp_path / "jobcore.toml").write_text('[database]\nhost = "db"\nname = "n"\nuser = "u"\n')
    assert load({"DATABASE_URL": URL}).database.dsn() == URL
    (tmp_path / "jobcore.toml").write_text(f'[database]\nurl = "{URL}"\n')
    assert load({"DB_HOST": "h", "DB_NAME": "n", "DB_USER": "u"}).database.dsn() == "postgresql://u@h:5432/n"


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_shown(load):
    settings = load({"DATABASE_URL": URL, "BULL_BOARD_USERNAME": "admin", "BULL_BOARD_PASSWORD": "hunter2"})
    assert "hunter2" not in repr(settings) + str(settings) + repr(settings.database) + settings.model_dump_json()


@pytest.mark.parametrize(
    "env",
    [
        {"DATABASE_URL": "mysql://jobs:hunter2@db/app"},
        {"DATABASE_URL": "hunter2"},
        {"DATABASE_URL": "postgresql://[hunter2"},
        {"DATABASE_URL": URL, "DB_PASSWORD": "hunter2"},
        {"BULL_BOARD_PASSWORD": "hunter2"},
        {"BULL_BOARD_USERNAME": "hunter2"},
    ],
)
def test_no_secret_is_in_an_error(load, env):
    with pytest.raises(ConfigurationError) as caught:
        load(env)
    assert next(iter(env)) in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_half_set_credentials_stop_the_start(load):
    assert "Set BULL_BOARD_PASSWORD as well" in problems(load, {"BULL_BOARD_USERNAME": "admin"})
    assert "Set BULL_BOARD_USERNAME as well" in problems(load, {"BULL_BOARD_PASSWORD": "hunter2"})


# -- sections of plugins -----------------------------------------------------------------------------------------------


class Lease(BaseModel):
    lease_seconds: float = 300
    queue_names: list[str] = []
    token: SecretStr | None = None

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        raise ValueError(f"no token: {value.get_secret_value()}")


def test_a_plugin_reads_its_own_section_from_all_places(load, tmp_path):
    (tmp_path / "jobcore.toml").write_text('[acme]\nlease_seconds = 7\nqueue_names = ["a"]\n')
    assert load().section("acme", Lease) == Lease(lease_seconds=7, queue_names=["a"])
    assert load({"JOBCORE_ACME__LEASE_SECONDS": "8"}).section("acme", Lease).lease_seconds == 8
    assert load(acme={"lease_seconds": 9}).section("acme", Lease).lease_seconds == 9
    assert load().section("other", Lease) == Lease()


def test_a_wrong_value_in_a_plugins_section_names_the_variable(load):
    with pytest.raises(ConfigurationError, match="JOBCORE_ACME__LEASE_SECONDS is text of 4 characters"):
        load({"JOBCORE_ACME__LEASE_SECONDS": "long"}).section("acme", Lease)


def test_an_unknown_key_in_a_plugins_section_is_refused_though_its_model_would_ignore_it(load):
    with pytest.raises(
        ConfigurationError, match="JOBCORE_ACME__LEASE_SECOND is not known. Did you mean 'lease_seconds'"
    ):
        load({"JOBCORE_ACME__LEASE_SECOND": "5"}).section("acme", Lease)


def test_a_plugins_own_validator_cannot_tell_a_secret(load):
    with pytest.raises(ConfigurationError) as caught:
        load({"JOBCORE_ACME__TOKEN": "hunter2"}).section("acme", Lease)
    assert "JOBCORE_ACME__TOKEN is text of 7 characters. Its plugin does not accept the value." in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_section_that_is_no_table_is_refused(load):
    assert "acme" in problems(load, acme=5)


def test_a_founding_section_takes_further_keys_of_its_plugin(load):
    class Temporal(BaseModel):
        model_config = ConfigDict(extra="forbid")
        address: str = ""
        tls: bool = False

    settings = load({"TEMPORAL_ADDRESS": "t:1", "JOBCORE_TEMPORAL__TLS": "true"})
    assert settings.section("temporal", Temporal) == Temporal(address="t:1", tls=True)


def test_settings_are_immutable_and_survive_copy_and_pickle_with_their_sections(load):
    settings = load(acme={"lease_seconds": 9}, storage="memory")
    with pytest.raises(ValueError, match="frozen"):
        settings.storage = "postgres"
    assert settings.model_copy(update={"runner": "memory"}).section("acme", Lease).lease_seconds == 9
    assert pickle.loads(pickle.dumps(settings)).section("acme", Lease).lease_seconds == 9


def test_settings_made_directly_take_their_arguments_only(monkeypatch):
    monkeypatch.setenv("JOBCORE_STORAGE", "memory")
    assert Settings().storage == "postgres"
    assert Settings(storage="memory").storage == "memory"


# -- the files that list them ------------------------------------------------------------------------------------------


PLUGINS = {"postgres": PostgresSettings, "pgboss": PgBossSettings, "temporal": TemporalRunnerSettings}
"""The sections of the house's plugins."""


def variables_of(model: type[BaseModel], *path: str) -> set[str]:
    names: set[str] = set()
    for field, info in model.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            names |= variables_of(section, *path, field)
        else:
            names.add(variable_of((*path, info.alias or field)))
    return names


def variables_of_core() -> set[str]:
    return {"JOBCORE_CONFIG", *FOUNDING_VARIABLES} | variables_of(Settings)


def variables_of_plugins() -> set[str]:
    return set().union(*(variables_of(model, section) for section, model in PLUGINS.items()))


def example() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_example_file_names_every_variable_of_core_and_no_unknown_one():
    assert variables_of_core() <= set(example()) <= variables_of_core() | variables_of_plugins()


def test_the_example_file_is_valid_as_it_stands_and_changes_no_default(load, caplog):
    caplog.set_level(logging.WARNING)
    active = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert load(active).model_dump(exclude={"database", "runner"}) == load().model_dump(exclude={"database", "runner"})
    assert not caplog.records


def test_every_value_of_the_example_file_is_accepted(load, tmp_path):
    (tmp_path / "file.toml").write_text("")
    other_ways = {"DATABASE_URL", "JOBCORE_CONFIG"}
    assert load({name: value for name, value in example().items() if name not in other_ways}).routes


def test_the_reference_names_every_variable_and_no_other():
    page = (ROOT / "docs/reference/settings.md").read_text()
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == variables_of_core() | variables_of_plugins()
