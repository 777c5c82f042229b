"""The plugin as an application meets it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from builtin_handlers.buckets import Bucket
from jobcore import JobContext, PatternScheduler, job
from jobcore.app.facade import JobApp
from jobcore.errors import ConfigurationError, DuplicateHandlerError
from jobcore_handlers.calendars import AccessTokens
from jobcore_handlers.calendars.channels import CalendarChannels
from jobcore_handlers.calendars.oauth import OAuthTokens
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.files.chosen import file_store
from jobcore_handlers.invoice_mail.links import InvoiceLinks, PatternLinks
from jobcore_handlers.mailing import MailSender
from jobcore_handlers.mailing.address import ApplicationAddress
from jobcore_handlers.mailing.smtp import SmtpMailSender
from jobcore_handlers.printing import InvoiceRenderer
from jobcore_handlers.printing.pdf import PdfInvoiceRenderer
from jobcore_handlers.settings import HandlerSettings


@job("audit.retention")
async def own_retention(ctx: JobContext, data: dict[str, Any]) -> None: ...


async def guided_retention(ctx: JobContext) -> None: ...


def test_an_application_has_the_handlers_and_their_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCORE_BUILTIN__FILES", str(tmp_path / "kept-here"))
    app = JobApp(store="memory", runner="memory")
    assert {"generate-invoice", "invoice_zip"} <= set(app.registry.get_registered_names())
    store = app.services.get(FileStore)
    assert isinstance(store, DirectoryFileStore)
    assert store.path_of(f"{uuid4()}/{uuid4()}/a").is_relative_to(tmp_path / "kept-here")
    assert isinstance(app.services.get(InvoiceRenderer), PdfInvoiceRenderer)


def given_at_once() -> JobApp:
    return JobApp(store="memory", runner="memory", handlers=[own_retention])


def registered_as_the_guide_does() -> JobApp:
    scheduler = PatternScheduler(JobApp(store="memory", runner="memory"))
    scheduler.register_cron("audit.retention", "0 3 * * *", guided_retention)
    return scheduler.app


@pytest.mark.parametrize("make", [given_at_once, registered_as_the_guide_does])
def test_an_application_with_a_job_of_the_same_name_is_told_what_to_write_and_that_is_enough(
    make: Callable[[], JobApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DuplicateHandlerError, match=r"plugins\.prefer = ") as refused:
        make()
    (winner,) = re.findall(r'\{[^{}]*"application"\}', str(refused.value))
    Path("jobcore.toml").write_text(f"plugins.prefer = {winner}\n")
    registry = make().registry
    assert registry.get("audit.retention").location.startswith(__name__)
    assert registry.has("notifs.cleanup")


def test_an_application_sends_mail_as_its_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="JOBCORE_BUILTIN__SMTP_HOST"):
        JobApp(store="memory", runner="memory").services.get(MailSender)
    monkeypatch.setenv("JOBCORE_BUILTIN__SMTP_HOST", "mail.pinewater.example")
    monkeypatch.setenv("JOBCORE_BUILTIN__PAYMENT_URL", "https://pay.pinewater.example/{invoice}")
    monkeypatch.setenv("APP_URL", "https://app.pinewater.example")
    services = JobApp(store="memory", runner="memory").services
    assert isinstance(services.get(MailSender), SmtpMailSender)
    assert services.get(ApplicationAddress).page("/x") == "https://app.pinewater.example/x"
    assert isinstance(services.get(InvoiceLinks), PatternLinks)


def test_an_applications_own_file_store_is_kept(tmp_path: Path) -> None:
    own = DirectoryFileStore(tmp_path)
    app = JobApp(store="memory", runner="memory", services={FileStore: own})
    assert app.services.get(FileStore) is own


def test_the_entry_module_loads_no_driver_and_no_renderer() -> None:
    code = (
        "import sys, jobcore_handlers.plugin; "
        "heavy = ('psycopg', 'reportlab', 'httpx', 'cryptography', 'aiosmtplib', 'boto3'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"


def test_calendars_are_configured_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCORE_BUILTIN__CALENDARS__NOTIFICATION_URL", "https://app.example.com/hooks/")
    monkeypatch.setenv("JOBCORE_BUILTIN__CALENDARS__GOOGLE__CLIENT_ID", "app-1")
    app = JobApp(store="memory", runner="memory")
    assert app.services.get(CalendarChannels).address == "https://app.example.com/hooks/google"
    assert app.settings.section("builtin", HandlerSettings).calendars.google.client_id == "app-1"
    assert isinstance(app.services.get(AccessTokens), OAuthTokens)


async def test_a_bucket_in_the_settings_is_the_file_store(monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> None:
    for name, value in {"BUCKET": bucket.name, "ENDPOINT": bucket.endpoint, "REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"JOBCORE_BUILTIN__S3_{name}", value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "found-by-boto3")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "itself")
    app = JobApp(store="memory", runner="memory")
    stored = await app.services.get(FileStore).put(uuid4(), "a.txt", b"1")
    assert bucket.keys() == [stored.key]


def test_a_bucket_without_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobcore_handlers.files.chosen.find_spec", lambda name: None if name == "boto3" else 1 / 0)
    with pytest.raises(ConfigurationError, match="jobcore-builtin-handlers with its extra s3"):
        file_store(HandlerSettings(s3_bucket="some-bucket"))


def test_half_of_a_pair_of_keys_is_refused() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        HandlerSettings(s3_bucket="some-bucket", s3_access_key="me")
