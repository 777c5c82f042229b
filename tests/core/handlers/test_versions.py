"""Payload versions: older payloads become current ones, and what cannot is said."""

from typing import Any

import orjson
import pytest
from pydantic import BaseModel, Field

from jobcore import JobContext, JobData, job
from jobcore.errors import InvalidHandlerError, PayloadInvalidError, PayloadVersionError, UpcastError
from jobcore.handlers import JobHandlerRegistry
from jobcore.handlers.versions import read_payload, stamp_version


class Mail(JobData):
    recipients: list[str]
    urgent: bool


def mail_of_version_3() -> Any:
    @job("mail", version=3)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    @mail.upcast(from_version=1)
    def many_recipients(payload: dict[str, Any]) -> dict[str, Any]:
        payload["recipients"] = [payload.pop("to")]
        return payload

    @mail.upcast(from_version=2)
    def urgency(payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "urgent": "!" in payload.get("subject", "")}

    return mail


def text_of(**payload: Any) -> bytes:
    return orjson.dumps({"tenantId": "system", **payload})


def test_an_older_payload_goes_through_the_whole_chain() -> None:
    mail = mail_of_version_3()
    assert read_payload(mail, text_of(to="a@b", subject="now!")).model_dump() == {
        "tenant_id": "system",
        "job_service_id": None,
        "recipients": ["a@b"],
        "urgent": True,
    }
    assert read_payload(mail, text_of(payloadVersion=2, recipients=["c"])).urgent is False


def test_a_current_payload_meets_no_upcaster() -> None:
    assert read_payload(mail_of_version_3(), text_of(payloadVersion=3, recipients=[], urgent=True)).urgent is True


def test_the_handler_never_sees_the_version() -> None:
    class Strict(BaseModel, extra="forbid"):
        tenant: str = Field(alias="tenantId")

    @job("strict", version=2)
    async def strict(ctx: JobContext, data: Strict) -> None: ...

    @job("loose")
    async def loose(ctx: JobContext, data: dict[str, Any]) -> None: ...

    assert read_payload(strict, text_of(payloadVersion=2)).tenant == "system"
    assert read_payload(loose, text_of(payloadVersion=1)) == {"tenantId": "system"}
    nested = {"payloadVersion": 9}
    assert read_payload(loose, text_of(inner=nested)) == {"tenantId": "system", "inner": nested}


def test_a_payload_without_an_upcaster_is_read_as_it_is_and_a_failure_says_what_to_do() -> None:
    @job("mail", version=2)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    assert read_payload(mail, text_of(recipients=[], urgent=False)).recipients == []
    with pytest.raises(PayloadInvalidError, match="recipients: Field required") as caught:
        read_payload(mail, text_of(to="a@b", urgent=False))
    assert "is of version 1, and this build takes version 2 without an upcaster from 1" in str(caught.value)
    assert "@mail.upcast(from_version=1)" in str(caught.value)
    with pytest.raises(PayloadInvalidError) as caught:
        read_payload(mail, text_of(payloadVersion=2, to="a@b", urgent=False))
    assert "upcast" not in str(caught.value)


def test_a_version_older_than_the_first_upcaster_meets_none_of_them() -> None:
    @job("mail", version=3)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    @mail.upcast(from_version=2)
    def urgency(payload: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("made for version 2")

    with pytest.raises(PayloadInvalidError, match="is of version 1"):
        read_payload(mail, text_of(to="a@b"))


def test_a_newer_payload_is_refused_with_both_versions() -> None:
    with pytest.raises(PayloadVersionError, match=r"of version 4, and this build knows version 3 at most\."):
        read_payload(mail_of_version_3(), text_of(payloadVersion=4, recipients=[], urgent=True))


@pytest.mark.parametrize("stated", [0, -1, "2", 1.5, True, None, [2]])
def test_a_version_that_is_none_is_a_payload_that_does_not_fit(stated: Any) -> None:
    with pytest.raises(PayloadInvalidError, match="payloadVersion: must be a whole number from 1"):
        read_payload(mail_of_version_3(), text_of(payloadVersion=stated, recipients=[], urgent=True))


@pytest.mark.parametrize(
    ("upcaster", "message"),
    [
        (lambda payload: payload["no-such-field"], r"from version 1, .*<lambda>, raised KeyError: 'no-such-field'"),
        (lambda payload: ["a"], "returned list; it must return the payload as a dict"),
        (lambda payload: {"at": object()}, "raised TypeError: Type is not JSON serializable"),
        (lambda payload: exit("out"), "raised SystemExit: out"),
    ],
)
def test_what_goes_wrong_in_an_upcaster_names_it(upcaster: Any, message: str) -> None:
    @job("mail", version=2)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    mail.upcast(from_version=1)(upcaster)
    with pytest.raises(UpcastError, match=message):
        read_payload(mail, text_of(to="a@b"))


@pytest.mark.parametrize(("version", "from_version"), [(1, 1), (2, 2), (2, 0), (3, "1")])
def test_an_upcaster_starts_from_an_older_version(version: int, from_version: Any) -> None:
    @job("mail", version=version)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    with pytest.raises(InvalidHandlerError, match=f"the payload is of version {version}: write @job"):
        mail.upcast(from_version=from_version)(dict)


def test_two_upcasters_from_one_version_are_refused() -> None:
    with pytest.raises(InvalidHandlerError, match="upcast from version 2, as .*urgency does already"):
        mail_of_version_3().upcast(from_version=2)(dict)


def test_a_missing_link_is_refused_at_the_start() -> None:
    @job("mail", version=4)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    mail.upcast(from_version=1)(dict)
    mail.upcast(from_version=3)(dict)
    with pytest.raises(InvalidHandlerError, match=r"from version 1, but not from version 2: write @mail\.upcast"):
        JobHandlerRegistry().register(mail)


@pytest.mark.parametrize("version", [0, -1, "2", True, 1.0, 2**31])
def test_a_version_is_a_whole_number_from_1(version: Any) -> None:
    with pytest.raises(InvalidHandlerError, match="version must be a whole number from 1"):

        @job("mail", version=version)
        async def mail(ctx: JobContext, data: Mail) -> None: ...


def test_the_name_of_the_version_is_kept() -> None:
    class Takes(JobData):
        payload_version: int

    with pytest.raises(InvalidHandlerError, match="field payloadVersion is kept for the payload's own version"):

        @job("takes")
        async def takes(ctx: JobContext, data: Takes) -> None: ...


def test_only_a_later_version_is_written_down() -> None:
    @job("first")
    async def first(ctx: JobContext, data: Mail) -> None: ...

    said: dict[str, Any] = {}
    stamp_version(first, said)
    assert said == {}
    stamp_version(mail_of_version_3(), said)
    assert said == {"payloadVersion": 3}
    older: dict[str, Any] = {"payloadVersion": 2}
    stamp_version(mail_of_version_3(), older)
    assert older == {"payloadVersion": 2}
    oldest: dict[str, Any] = {"payloadVersion": 1}
    stamp_version(mail_of_version_3(), oldest)
    assert oldest == {}


def test_a_definition_with_upcasters_is_still_hashed_and_compared() -> None:
    mail = mail_of_version_3()
    assert {mail: 1}[mail] == 1
    assert mail != mail_of_version_3()
