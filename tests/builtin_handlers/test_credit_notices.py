"""J05 on a real database and a real mail server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, available_timezones

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.killing import KilledInTransaction, killed
from builtin_handlers.ledgers import Ledger
from builtin_handlers.mail_server import MailServer
from builtin_handlers.mailing import EnqueueingContext, mailing_context
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT, NonRetryableError
from jobcore.app.facade import JobApp
from jobcore_handlers.credit_notices import errors
from jobcore_handlers.credit_notices.days import day_after, day_bounds
from jobcore_handlers.credit_notices.handler import expiring_credits_notification
from jobcore_handlers.credits.payload import ClientCredits
from jobcore_handlers.errors import ClientNotFoundError, TenantRequiredError
from jobcore_handlers.mailing import MailSender
from jobcore_handlers.mailing.address import ApplicationAddress
from jobcore_handlers.mailing.handler import process_mail_queue
from jobcore_handlers.mailing.payload import ProcessMailQueue
from jobcore_handlers.mailing.settings import MailSettings
from jobcore_handlers.mailing.smtp import SmtpMailSender

ALL = ClientCredits()

Make = Callable[..., EnqueueingContext]


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer().serve() as server:
        yield server


@pytest.fixture
def make(world: World, server: MailServer) -> Make:
    def context(tenant: UUID | None = None, **options: Any) -> EnqueueingContext:
        return mailing_context(world.dsn, tenant or world.tenant, server.settings(), **options)

    return context


@pytest.fixture
def ledger(world: World) -> Ledger:
    world.execute("update billing.default_billing_settings set credit_expiration_notification_days = '{30,7,7,1}'")
    return Ledger(world, world.tenant)


def credit_in(ledger: Ledger, client: UUID, amount: int, days: int, zone: str = "UTC") -> UUID:
    """A credit that expires at noon, by clocks in `zone`, so many days from today."""
    credit = ledger.issue(client, amount, days=days)
    day = datetime.now(ZoneInfo(zone)).date() + timedelta(days=days)
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    (row,) = ledger.world.rows(
        "update billing.credit_tracking set expiration_date = %s where transaction_id = %s returning credit_id",
        noon,
        credit.original,
    )
    return row["credit_id"]


def contact_of(world: World, client: UUID, name: str, **row: Any) -> UUID:
    values = {"contact_id": uuid4(), "client_id": client, "name": name, "email": f"{name.lower()}@alder.example",
              "is_billing_contact": True, **row}  # fmt: skip
    return world.add("client_contacts", **values)["contact_id"]


def notices(world: World) -> set[tuple[UUID, int]]:
    rows = world.rows("select credit_id, threshold from billing.credit_notices")
    return {(row["credit_id"], row["threshold"]) for row in rows}


def outbox(world: World) -> list[dict[str, Any]]:
    return world.rows("select * from billing.mail_outbox order by to_address")


def result(clients: int = 0, credits: int = 0, mails: int = 0, without: int = 0) -> dict[str, int]:  # noqa: A002
    return {"clients": clients, "credits": credits, "mails": mails, "clientsWithoutContact": without}


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert expiring_credits_notification.name == "expiring-credits-notification"
    assert expiring_credits_notification.retry.max_attempts == 3
    assert expiring_credits_notification.timeout == timedelta(minutes=10)


async def test_each_billing_contact_hears_of_the_credits_of_its_client_by_threshold(
    world: World, server: MailServer, make: Make, ledger: Ledger
) -> None:
    other = world.add_client(name="Birch")
    for name in ("Ada", "Bo"):
        contact_of(world, world.client, name)
    contact_of(world, world.client, "Gone", is_inactive=True)
    contact_of(world, world.client, "Tech", is_billing_contact=False)
    contact_of(world, other, "Cy")
    announced = {
        (credit_in(ledger, world.client, 1250, 7), 7),
        (credit_in(ledger, world.client, 300, 7), 7),
        (credit_in(ledger, world.client, 9900, 30), 30),
        (credit_in(ledger, other, 500, 1), 1),
    }
    for days in (0, 2, 6, 8, 29, 31):
        credit_in(ledger, other, 100, days)
    context = make()
    assert await expiring_credits_notification(context, ALL) == result(clients=2, credits=4, mails=5)
    assert context.enqueued == ["email.process-queue"]
    assert context.progress_reports[-1] == 100
    assert notices(world) == announced

    await process_mail_queue(make(), ProcessMailQueue())
    assert sorted(server.recipients) == sorted(["ada@alder.example", "bo@alder.example"] * 2 + ["cy@alder.example"])
    day = datetime.now(UTC).date() + timedelta(days=7)
    (week,) = [one for one in server.sent_to("ada@alder.example") if "USD 15.50" in one["Subject"]]
    assert f"expires on {day.day:02d} " in week["Subject"]
    body = week.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "- USD 12.50, until" in text
    assert "- USD 3.00, until" in text
    assert "days remaining: 7" in text
    assert f"https://app.pinewater.example/billing/credits?client={world.client}" in text


async def test_a_second_run_tells_nobody_again_and_a_later_threshold_does(
    world: World, make: Make, ledger: Ledger
) -> None:
    contact_of(world, world.client, "Ada")
    credit = credit_in(ledger, world.client, 1000, 30)
    assert (await expiring_credits_notification(make(), ALL))["mails"] == 1
    again = make()
    assert await expiring_credits_notification(again, ALL) == result()
    assert again.enqueued == []
    world.execute("update billing.credit_tracking set expiration_date = expiration_date - interval '23 days'")
    assert (await expiring_credits_notification(make(), ALL))["mails"] == 1
    assert notices(world) == {(credit, 30), (credit, 7)}
    assert len(outbox(world)) == 2


async def test_two_runs_at_once_tell_each_client_once(world: World, make: Make, ledger: Ledger) -> None:
    clients = [world.add_client() for _ in range(6)]
    for number, client in enumerate(clients):
        contact_of(world, client, f"c{number}")
        for _ in range(3):
            credit_in(ledger, client, 100, 7)
    runs = await asyncio.gather(*(expiring_credits_notification(make(), ALL) for _ in range(3)))
    assert sum(run["mails"] for run in runs) == sum(run["clients"] for run in runs) == 6
    assert sum(run["credits"] for run in runs) == 18
    assert len({row["to_address"] for row in outbox(world)}) == len(outbox(world)) == 6


async def test_spent_and_expired_credits_and_those_that_stay_are_not_announced(
    world: World, make: Make, ledger: Ledger
) -> None:
    contact_of(world, world.client, "Ada")
    ledger.issue(world.client, 100)
    spent, over = credit_in(ledger, world.client, 100, 7), credit_in(ledger, world.client, 100, 7)
    world.execute("update billing.credit_tracking set remaining_amount = 0 where credit_id = %s", spent)
    world.execute("update billing.credit_tracking set is_expired = true where credit_id = %s", over)
    assert await expiring_credits_notification(make(), ALL) == result()


async def test_a_client_without_a_billing_contact_is_skipped_and_told_once_it_has_one(
    world: World, make: Make, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    credit_in(ledger, world.client, 100, 7)
    caplog.set_level(logging.WARNING, "jobcore.test")
    assert await expiring_credits_notification(make(), ALL) == result(without=1)
    assert f"Client {world.client} has expiring credits, and no billing contact" in caplog.text
    contact_of(world, world.client, "Ada")
    assert (await expiring_credits_notification(make(), ALL))["mails"] == 1


@pytest.mark.parametrize(
    "change",
    ["credit_expiration_notification_days = '{}'", "enable_credit_expiration = false"],
)
async def test_without_thresholds_or_expiry_nobody_is_told(
    world: World, make: Make, ledger: Ledger, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    contact_of(world, world.client, "Ada")
    credit_in(ledger, world.client, 100, 7)
    world.execute(f"update billing.default_billing_settings set {change}")
    caplog.set_level(logging.INFO, "jobcore.test")
    assert await expiring_credits_notification(make(), ALL) == result()
    assert "Nobody is told of expiring credits" in caplog.text
    assert outbox(world) == []


def test_a_threshold_below_zero_is_refused_by_the_settings(world: World) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        world.execute("update billing.default_billing_settings set credit_expiration_notification_days = '{7,-1}'")


async def test_a_threshold_further_ahead_than_anybody_looks_is_an_error_and_an_empty_one_is_none(
    world: World, make: Make, ledger: Ledger
) -> None:
    world.execute("update billing.default_billing_settings set credit_expiration_notification_days = '{null,7}'")
    assert await expiring_credits_notification(make(), ALL) == result()
    world.execute("update billing.default_billing_settings set credit_expiration_notification_days = '{7,99999999}'")
    with pytest.raises(errors.DistantThresholdError, match="99999999 days ahead; 36500 are the most"):
        await expiring_credits_notification(make(), ALL)


async def test_what_is_over_already_is_not_announced_for_today(world: World, make: Make, ledger: Ledger) -> None:
    contact_of(world, world.client, "Ada")
    world.execute("update billing.default_billing_settings set credit_expiration_notification_days = '{0}'")
    ledger.issue(world.client, 100, days=0)
    assert await expiring_credits_notification(make(), ALL) == result()


async def test_one_client_only(world: World, make: Make, ledger: Ledger) -> None:
    other = world.add_client()
    for client, name in ((world.client, "Ada"), (other, "Bo")):
        contact_of(world, client, name)
        credit_in(ledger, client, 100, 7)
    await expiring_credits_notification(make(), ClientCredits(client_id=other))
    assert [row["to_address"] for row in outbox(world)] == ["bo@alder.example"]
    with pytest.raises(ClientNotFoundError):
        await expiring_credits_notification(make(), ClientCredits(client_id=uuid4()))
    with pytest.raises(TenantRequiredError, match="Tenant ID is required"):
        await expiring_credits_notification(make(SYSTEM_TENANT), ALL)


# -- days --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_days_are_those_of_the_tenants_clocks(world: World, make: Make, ledger: Ledger, zone: str) -> None:
    """One of the two zones is always a day away from UTC at noon there."""
    contact_of(world, world.client, "Ada")
    world.execute("update billing.tenants set time_zone = %s", zone)
    mine = credit_in(ledger, world.client, 100, 7, zone)
    for days in (6, 8):
        credit_in(ledger, world.client, 100, days, zone)
    await expiring_credits_notification(make(), ALL)
    assert notices(world) == {(mine, 7)}


async def test_a_time_zone_that_is_none_is_an_error(world: World, make: Make, ledger: Ledger) -> None:
    world.execute("update billing.tenants set time_zone = 'Mars/Olympus'")
    with pytest.raises(errors.UnknownTimeZoneError, match="no time zone 'Mars/Olympus'"):
        await expiring_credits_notification(make(), ALL)


ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
# Until 2011 a few clocks were put back from a minute past midnight, so that the day before came twice.
INSTANTS = st.datetimes(datetime(2012, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))


@given(now=INSTANTS, days=st.integers(0, 400), zone=ZONES, share=st.floats(0, 1, exclude_max=True))
def test_every_instant_within_the_bounds_is_on_that_day_and_days_leave_no_gap(
    now: datetime, days: int, zone: ZoneInfo, share: float
) -> None:
    day = day_after(now, days, zone)
    begin, end = day_bounds(day, zone)
    assert end == day_bounds(day + timedelta(days=1), zone)[0]
    assert timedelta() <= end - begin <= timedelta(hours=26)
    if begin < end:
        within = min(begin + (end - begin) * share, end - timedelta(microseconds=1))
        assert within.astimezone(zone).date() == day
    assert day - now.astimezone(zone).date() == timedelta(days=days)


def test_a_day_on_which_clocks_change_is_an_hour_shorter_or_longer() -> None:
    vienna = ZoneInfo("Europe/Vienna")
    days = [(date(2026, 3, 29), vienna), (date(2026, 10, 25), vienna), (date(2026, 3, 30), UTC)]
    lengths = [end - begin for begin, end in (day_bounds(day, zone) for day, zone in days)]
    assert lengths == [timedelta(hours=23), timedelta(hours=25), timedelta(hours=24)]


# -- failures ----------------------------------------------------------------------------------------------------------


async def test_a_missing_notification_is_an_error(world: World, make: Make, ledger: Ledger) -> None:
    contact_of(world, world.client, "Ada")
    credit_in(ledger, world.client, 100, 7)
    world.execute("delete from billing.mail_templates")
    with pytest.raises(errors.ClientsNotTellableError, match="notification 'Credit Expiring' is missing") as caught:
        await expiring_credits_notification(make(), ALL)
    assert isinstance(caught.value, NonRetryableError)
    assert "'credit-expiring'" in str(caught.value)
    assert notices(world) == set()


async def test_a_client_that_cannot_be_told_stops_no_other_and_nothing_personal_is_kept_of_it(
    world: World, make: Make, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = world.add_client(name="Secret & Co"), world.add_client()
    contact_of(world, broken, "Secret\r\nBcc: eve@evil.example", email="secret@alder.example")
    contact_of(world, fine, "Bo")
    for client in (broken, fine):
        credit_in(ledger, client, 100, 7)
    caplog.set_level(logging.DEBUG)
    context = make()
    with pytest.raises(errors.ClientsNotTellableError, match="1 of 2 clients were not told") as caught:
        await expiring_credits_notification(context, ALL)
    assert [row["to_address"] for row in outbox(world)] == ["bo@alder.example"]
    assert context.enqueued == ["email.process-queue"]
    assert [status for status, _ in context.details[f"Client {broken}"]] == ["failed"]
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("jobcore")]
    told = f"{ours} {context.details} {caught.value}"
    assert "ecret" not in told
    assert "@" not in told


async def test_another_tenants_credits_are_left_alone(world: World, make: Make, ledger: Ledger) -> None:
    contact_of(world, world.client, "Ada")
    credit_in(ledger, world.client, 100, 7)
    stranger = world.add_tenant()
    world.execute("update billing.default_billing_settings set credit_expiration_notification_days = '{7}'")
    assert await expiring_credits_notification(make(stranger), ALL) == result()
    assert notices(world) == set()


# -- killed ------------------------------------------------------------------------------------------------------------


class KilledWhileEnqueueing(KilledInTransaction, EnqueueingContext):
    pass


def run_killed(dsn: str, tenant: UUID, job: UUID, at: int, before: bool) -> None:
    context = KilledWhileEnqueueing(dsn, tenant, job_id=job)
    context.services.add(ApplicationAddress(None), ApplicationAddress)
    context.at, context.is_committed = at, not before
    asyncio.run(expiring_credits_notification(context, ALL))


@pytest.mark.parametrize(("before", "told"), [(True, 1), (False, 2)])
async def test_a_kill_at_any_client_leaves_its_marks_and_mails_together(
    world: World, server: MailServer, make: Make, ledger: Ledger, before: bool, told: int
) -> None:
    for name in ("Ada", "Bo", "Cy"):
        client = world.add_client()
        contact_of(world, client, name)
        credit_in(ledger, client, 100, 7)
    job = uuid4()
    # The first transaction finds what is due; the third is the second client's.
    await killed(run_killed, world.dsn, world.tenant, job, 3, before)
    assert len(outbox(world)) == len(notices(world)) == told

    context = make(job_id=job)
    context.attempt = 2
    assert (await expiring_credits_notification(context, ALL))["mails"] == 3 - told
    assert context.enqueued == ["email.process-queue"]
    await process_mail_queue(make(), ProcessMailQueue())
    assert sorted(server.recipients) == ["ada@alder.example", "bo@alder.example", "cy@alder.example"]
    assert set(server.message_ids.values()) == {1}


# -- on either engine --------------------------------------------------------------------------------------------------


async def test_a_job_on_either_engine_reaches_the_contacts_by_its_follow_up(
    open_app: Callable[..., AbstractAsyncContextManager[JobApp]], world: World, server: MailServer, ledger: Ledger
) -> None:
    contact_of(world, world.client, "Ada")
    credit_in(ledger, world.client, 4200, 7)
    arrived = asyncio.Event()
    server.on_accepted = arrived.set
    services = {MailSender: SmtpMailSender(server.settings())}
    async with open_app(services=services) as app:
        for mails in (1, 0):
            job = await expiring_credits_notification.enqueue(app, ClientCredits(tenant_id=world.tenant))
            assert (await job.result(timeout=30))["mails"] == mails
        await asyncio.wait_for(arrived.wait(), 30)
    (message,) = server.received
    assert "USD 42.00" in message["Subject"]


def test_the_address_of_the_application_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", "https://app.pinewater.example/")
    address = ApplicationAddress(MailSettings().app_url)
    assert address.page("/billing/credits", client="a b") == "https://app.pinewater.example/billing/credits?client=a+b"
    assert ApplicationAddress(None).page("/x") is None
