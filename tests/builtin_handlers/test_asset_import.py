"""J07 on a real PostgreSQL and a real folder."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from builtin_handlers.context import AttemptContext
from builtin_handlers.imports import MAPPING, Imports, csv_of, unlike
from builtin_handlers.workbooks import bomb, sheet_of, workbook
from builtin_handlers.world import World
from jobcore.errors import NonRetryableError, StaleClaimError
from jobcore_handlers.errors import UnsafeFileKeyError
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.imports import errors
from jobcore_handlers.imports.duplicates import Named, most_alike
from jobcore_handlers.imports.fields import asset_of
from jobcore_handlers.imports.handler import asset_import
from jobcore_handlers.imports.importer import ROWS_AT_ONCE
from jobcore_handlers.imports.limits import ImportLimits

Attempt = Callable[..., AttemptContext]

LAPTOP = "laptop-berlin,workstation,S-1,T-1,AA:BB:CC:DD:EE:FF,10.0.0.1,2025-01-31,2028-01-31"


@pytest.fixture
def imports(world: World, store: DirectoryFileStore) -> Imports:
    return Imports(world, store)


@pytest.fixture
def attempt(attempt: Attempt) -> Attempt:
    def make(tenant: UUID, limits: ImportLimits | None = None, **options: object) -> AttemptContext:
        context = attempt(tenant, **options)
        context.services.add(limits or ImportLimits(), ImportLimits)
        return context

    return make


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert asset_import.name == "asset_import"
    assert asset_import.retry.max_attempts == 3
    assert asset_import.timeout == timedelta(milliseconds=600_000)


# -- what is imported --------------------------------------------------------------------------------------------------


async def test_a_row_becomes_an_asset_a_mapping_and_an_item(imports: Imports, world: World, attempt: Attempt) -> None:
    data = await imports.prepare(csv_of(LAPTOP))
    context = attempt(world.tenant)
    result = await asset_import(context, data)
    (asset,), (mapping,), (item,) = imports.assets(), imports.mappings(), imports.items(data)
    assert {name: asset[name] for name in (*MAPPING, "client_id", "created_by")} == {
        "name": "laptop-berlin", "asset_type": "workstation", "serial_number": "S-1", "asset_tag": "T-1",
        "mac_address": "aa:bb:cc:dd:ee:ff", "ip_address": ip_address("10.0.0.1"), "purchase_date": date(2025, 1, 31),
        "warranty_end_date": date(2028, 1, 31), "client_id": world.client, "created_by": world.user,
    }  # fmt: skip
    row = dict(sorted(zip(MAPPING.values(), LAPTOP.split(","), strict=True)))
    digest = hashlib.sha256(json.dumps(row, separators=(",", ":")).encode()).hexdigest()
    assert (mapping["external_id"], mapping["asset_id"], mapping["row_sha256"]) == ("T-1", asset["asset_id"], digest)
    assert (item["row_number"], item["status"], item["asset_id"]) == (2, "created", asset["asset_id"])
    assert item["source_data"]["mac_address"] == "AA:BB:CC:DD:EE:FF"
    assert result == context.completion() == {"totalRows": 1, "created": 1, "duplicates": 0, "errors": 0}
    job = imports.job(data)
    assert (job["status"], job["error_summary"]) == (
        "completed", {"totalErrors": 0, "rowsWithErrors": 0, "topErrors": []})  # fmt: skip


async def test_a_workbook_is_imported_like_its_rows(imports: Imports, world: World, attempt: Attempt) -> None:
    rows = [list(MAPPING.values()), LAPTOP.split(","), ["=1+1", "server", "+49", "@tag"]]
    data = await imports.prepare(workbook(sheet_of(rows)).getvalue(), "assets.xlsx")
    assert (await asset_import(attempt(world.tenant), data))["created"] == 2
    text = imports.assets()[0]
    assert (text["name"], text["serial_number"], text["asset_tag"]) == ("=1+1", "+49", "@tag")


async def test_the_tag_is_the_first_of_tag_serial_external_id_and_row(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    content = b"Name,Type,Serial,Tag,Id\nalpha,a,S,T,I\nbravo,a,S2,,I2\ncharlie,a,,,I3\ndelta,a,,,\n"
    mapping = {"name": "name", "asset_type": "TYPE", "serial_number": "Serial", "asset_tag": "Tag", "external_id": "Id"}
    data = await imports.prepare(content, fieldMapping=mapping)
    await asset_import(attempt(world.tenant), data)
    assert [asset["asset_tag"] for asset in imports.assets()] == ["T", "S2", "I3", f"{data.import_job_id}-5"]
    assert {row["external_id"] for row in imports.mappings()} == {"I", "I2", "I3", f"{data.import_job_id}-5"}


async def test_rows_with_errors_are_recorded_and_the_others_go_on(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    data = await imports.prepare(
        csv_of(
            "alpha,server,S-1",
            ",server,S-2",
            ",,S-3,,not-a-mac,not-an-ip,31.12.2025",
            "bravo,server,S-4,,,fe80::1%eth0",
            f"bravo,server,{'x' * 256}",
            "charlie,server,,,00-11-22-33-44-55",
        )
    )
    result = await asset_import(attempt(world.tenant), data)
    assert imports.statuses(data) == [
        (2, "created"), (3, "error"), (4, "error"), (5, "error"), (6, "error"), (7, "created")]  # fmt: skip
    assert imports.items(data)[2]["errors"] == [
        "name is missing", "asset_type is missing", "mac_address is no MAC address of 12 hexadecimal digits",
        "ip_address is no IP address", "purchase_date is no date of the form YYYY-MM-DD",
    ]  # fmt: skip
    job = imports.job(data)
    assert (job["status"], job["processed_rows"], job["created_rows"], job["error_rows"]) == ("completed", 6, 2, 4)
    summary = job["error_summary"]
    assert (summary["totalErrors"], summary["rowsWithErrors"]) == (8, 4)
    assert summary["topErrors"][0] == {"message": "ip_address is no IP address", "count": 2}
    assert result == {"totalRows": 6, "created": 2, "duplicates": 0, "errors": 4}


async def test_a_file_of_errors_only_does_not_fail_the_job(imports: Imports, world: World, attempt: Attempt) -> None:
    data = await imports.prepare(csv_of(*[f",server,S-{n}" for n in range(25)]))
    assert (await asset_import(attempt(world.tenant), data))["errors"] == 25
    assert imports.job(data)["status"] == "completed"


async def test_progress_is_told_after_each_batch(imports: Imports, world: World, attempt: Attempt) -> None:
    data = await imports.prepare(csv_of(*unlike(250)))
    context = attempt(world.tenant)
    await asset_import(context, data)
    assert context.progress_reports == [40, 80, 100]


# -- duplicates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "matched_by"),
    [
        ("zulu,server,S-1,T-9", "serial_number"),
        ("zulu,server,S-9,T-1", "asset_tag"),
        ("zulu,server,T-1", "asset_tag"),
        ("zulu,server,S-9,T-9,aabb.ccdd.eeff", "mac_address"),
        ("LAPTOP-BERLIN,server,S-9,T-9", "hostname"),
        ("laptop-berlyn,server,S-9,T-9", "name"),
        ("laptop-potsdam,server,S-9,T-9", None),
        ("mlaptop-berlin,server,S-9,T-9", None),
    ],
)
async def test_an_asset_that_there_is_already_is_a_duplicate(
    imports: Imports, world: World, attempt: Attempt, row: str, matched_by: str | None
) -> None:
    await asset_import(attempt(world.tenant), await imports.prepare(csv_of(LAPTOP)))
    (known,) = imports.assets()
    data = await imports.prepare(csv_of(row))
    await asset_import(attempt(world.tenant), data)
    (item,) = imports.items(data)
    if matched_by is None:
        assert (item["status"], len(imports.assets())) == ("created", 2)
    else:
        assert (item["status"], item["matched_by"], item["asset_id"]) == ("duplicate", matched_by, known["asset_id"])
        assert imports.assets() == [known]


async def test_rows_of_one_file_are_duplicates_of_each_other(imports: Imports, world: World, attempt: Attempt) -> None:
    data = await imports.prepare(csv_of("alpha,a,S-1", "bravo,a,S-1", "charlie,a,S-2"))
    await asset_import(attempt(world.tenant), data)
    assert imports.statuses(data) == [(2, "created"), (3, "duplicate"), (4, "created")]


async def test_the_nearest_names_are_found_among_very_many(imports: Imports, world: World, attempt: Attempt) -> None:
    world.execute(
        "insert into billing.assets (tenant, asset_id, client_id, name, asset_type, asset_tag) "
        "select %s, gen_random_uuid(), %s, 'pc-' || md5(n::text), 'a', n::text from generate_series(1, 5000) as n",
        world.tenant, world.client,
    )  # fmt: skip
    (known,) = world.rows("select name, asset_id from billing.assets where name = 'pc-' || md5('1234')")
    data = await imports.prepare(csv_of(f"{known['name'][:-1]}#,a"))
    await asset_import(attempt(world.tenant), data)
    (item,) = imports.items(data)
    assert (item["status"], item["matched_by"], item["asset_id"]) == ("duplicate", "name", known["asset_id"])
    assert float(item["likeness"]) == pytest.approx(34 / 35, abs=0.001)


def levenshtein(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@given(st.text("abc", min_size=1, max_size=12), st.text("abc", min_size=1, max_size=12))
def test_the_likeness_is_the_ratio_of_levenshtein(one: str, other: str) -> None:
    ratio = 1 - levenshtein(one, other) / max(len(one), len(other))
    found = most_alike(one, [Named(uuid4(), other)], 0.82)
    assert (found is not None) == (ratio >= 0.82)
    assert found is None or found.likeness == pytest.approx(ratio)


@given(st.dictionaries(st.sampled_from([*MAPPING, "external_id"]), st.text(max_size=300)))
def test_any_text_becomes_an_asset_or_problems_that_do_not_quote_it(values: dict[str, str]) -> None:
    made = asset_of(values)
    if isinstance(made, list):
        assert made
        assert not [text for text in values.values() if len(text) > 12 and text in "".join(made)]
    else:
        assert 0 < len(made.name) <= 255


# -- whose they are ----------------------------------------------------------------------------------------------------


async def test_the_client_is_the_associated_one_or_a_default_or_the_only_one(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    async def imported(**context: Any) -> UUID:
        data = await imports.prepare(csv_of(f"{uuid4()},a"), **context)
        await asset_import(attempt(world.tenant, ImportLimits(likeness=1)), data)
        asset_id = imports.items(data)[0]["asset_id"]
        return next(asset["client_id"] for asset in imports.assets() if asset["asset_id"] == asset_id)

    assert await imported() == world.client
    default, associated, of_source, of_tenant = (world.add_client(name=name) for name in "dast")
    with pytest.raises(errors.TargetClientError) as caught:
        await imported()
    assert str(caught.value) == "Unable to resolve client to attach imported assets to"
    world.execute("update billing.tenants set default_client_id = %s where tenant = %s", of_tenant, world.tenant)
    assert await imported() == of_tenant
    world.execute("update billing.import_sources set default_client_id = %s", of_source)
    assert await imported() == of_source
    assert await imported(defaultClientId=str(default)) == default
    assert await imported(defaultClientId=str(default), associatedClientId=str(associated)) == associated
    with pytest.raises(errors.TargetClientError):
        await imported(associatedClientId=str(uuid4()))


async def test_another_tenants_assets_are_neither_seen_nor_touched(
    imports: Imports, world: World, attempt: Attempt, store: DirectoryFileStore
) -> None:
    await asset_import(attempt(world.tenant), await imports.prepare(csv_of(LAPTOP)))
    before = imports.assets(), imports.mappings()
    stranger = World(world.dsn)
    theirs = Imports(stranger, store)
    data = await theirs.prepare(csv_of(LAPTOP))
    assert (await asset_import(attempt(stranger.tenant), data))["created"] == 1
    assert (imports.assets(), imports.mappings()) == before

    foreign = await imports.prepare(csv_of(LAPTOP))
    with pytest.raises(errors.ImportJobNotFoundError):
        await asset_import(attempt(stranger.tenant), foreign.model_copy(update={"tenant_id": stranger.tenant}))
    assert imports.job(foreign)["status"] == "preview"


# -- again and again ---------------------------------------------------------------------------------------------------


async def test_a_second_run_changes_nothing(imports: Imports, world: World, attempt: Attempt) -> None:
    job, data = uuid4(), await imports.prepare(csv_of(LAPTOP, "bravo,server", ",broken"))
    first = await asset_import(attempt(world.tenant, job_id=job), data)
    before = imports.assets(), imports.mappings(), imports.items(data), imports.job(data)
    assert await asset_import(attempt(world.tenant), data) == first
    assert (imports.assets(), imports.mappings(), imports.items(data), imports.job(data)) == before


async def test_without_the_completion_of_the_job_the_import_is_not_completed(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    job, data = uuid4(), await imports.prepare(csv_of(LAPTOP, "bravo,server"))
    with pytest.raises(StaleClaimError):
        await asset_import(attempt(world.tenant, job_id=job, stale=True), data)
    assert imports.job(data)["status"] == "failed"
    assert await asset_import(attempt(world.tenant, job_id=job), data) == {
        "totalRows": 2, "created": 2, "duplicates": 0, "errors": 0}  # fmt: skip
    assert len(imports.assets()) == len(imports.items(data)) == 2


async def test_a_run_that_lost_the_import_writes_nothing_more(imports: Imports, world: World, attempt: Attempt) -> None:
    data = await imports.prepare(csv_of(*unlike(250)))

    class Overtaken(AttemptContext):
        async def progress(self, percent: float, message: str | None = None) -> None:
            await super().progress(percent, message)
            if len(self.progress_reports) == 1:
                await asset_import(attempt(world.tenant), data)

    context = Overtaken(world.dsn, world.tenant)
    context.services = attempt(world.tenant).services
    world.execute("update billing.import_jobs set status = 'preview'")
    with pytest.raises(errors.ImportTakenOverError):
        await asset_import(context, data)
    assert imports.job(data)["status"] == "completed"
    assert len(imports.assets()) == len(imports.items(data)) == imports.job(data)["processed_rows"] == 250


async def test_an_import_that_somebody_cancels_stops_after_its_batch(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    data = await imports.prepare(csv_of(*unlike(250)))

    class Cancelled(AttemptContext):
        async def progress(self, percent: float, message: str | None = None) -> None:
            world.execute("update billing.import_jobs set status = 'cancelled'")

    context = Cancelled(world.dsn, world.tenant)
    context.services = attempt(world.tenant).services
    with pytest.raises(errors.ImportCancelledError):
        await asset_import(context, data)
    assert (imports.job(data)["status"], len(imports.assets())) == ("cancelled", ROWS_AT_ONCE)


async def test_a_time_out_leaves_the_import_failed_and_a_retry_goes_on(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    data = await imports.prepare(csv_of(*unlike(250)))
    reached = asyncio.Event()

    class Slow(AttemptContext):
        async def progress(self, percent: float, message: str | None = None) -> None:
            reached.set()
            await asyncio.Event().wait()

    context = Slow(world.dsn, world.tenant)
    context.services = attempt(world.tenant).services
    task = asyncio.create_task(asset_import(context, data))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert imports.job(data)["status"] == "failed"
    assert "interrupted" in imports.job(data)["error"]
    done = imports.items(data)
    assert len(done) == ROWS_AT_ONCE
    assert (await asset_import(attempt(world.tenant), data)) == {
        "totalRows": 250, "created": 250, "duplicates": 0, "errors": 0}  # fmt: skip
    assert imports.items(data)[:ROWS_AT_ONCE] == done


async def test_a_retry_does_not_go_on_in_another_file(
    imports: Imports, world: World, attempt: Attempt, store: DirectoryFileStore
) -> None:
    data = await imports.prepare(csv_of(*unlike(150)))
    (file,) = world.rows("select * from billing.files")

    class Interrupted(AttemptContext):
        async def progress(self, percent: float, message: str | None = None) -> None:
            raise StaleClaimError("This worker lost the job.")

    context = Interrupted(world.dsn, world.tenant)
    context.services = attempt(world.tenant).services
    with pytest.raises(StaleClaimError):
        await asset_import(context, data)
    await store.put(world.tenant, "assets.csv", csv_of("", "", *unlike(130)), file_id=file["file_id"])
    with pytest.raises(errors.FileChangedError, match="had 150 rows when the import began, and has 130 now"):
        await asset_import(attempt(world.tenant), data)
    assert (imports.job(data)["status"], imports.job(data)["processed_rows"]) == ("failed", ROWS_AT_ONCE)


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"fieldMapping": {}}, None),
        ({"fieldMapping": {"name": "Name"}}, "lacks asset_type"),
        ({"fieldMapping": {"name": "Name", "asset_type": "Kind"}}, "column 'Kind', which the file has not"),
        ({"fieldMapping": {"name": "Name", "asset_type": "Type", "colour": "Tag"}}, "names colour"),
        ({"storageFileId": "none"}, "not of its form: storageFileId"),
        ({"storageFileId": str(uuid4())}, "has no file"),
    ],
)
async def test_an_import_that_makes_no_sense_is_refused_once(
    imports: Imports, world: World, attempt: Attempt, context: dict[str, Any], words: str | None
) -> None:
    data = await imports.prepare(csv_of(LAPTOP), **context)
    if words is None:
        assert (await asset_import(attempt(world.tenant), data))["created"] == 1  # the source's own mapping
        return
    with pytest.raises(errors.ImportRefusedError, match=words) as caught:
        await asset_import(attempt(world.tenant), data)
    assert isinstance(caught.value, NonRetryableError)
    assert (imports.job(data)["status"], imports.job(data)["error"]) == ("failed", str(caught.value))
    assert imports.assets() == []


async def test_an_import_of_another_source_than_the_payloads_is_refused(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    data = await imports.prepare(csv_of(LAPTOP))
    other = data.model_copy(update={"import_source_id": uuid4()})
    with pytest.raises(errors.ImportRefusedError, match=f"is of the source {imports.source}"):
        await asset_import(attempt(world.tenant), other)
    same = data.model_copy(update={"import_source_id": imports.source})
    assert (await asset_import(attempt(world.tenant), same))["created"] == 1


BROKEN_LATE = csv_of(*[f"{chr(97 + n) * 9},server" for n in range(25)])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: bomb(64 << 20).getvalue(), "grows more than 200 times"),
        (lambda: BROKEN_LATE + "\nKöln,server".encode("latin-1"), "encoding is not known"),
        (lambda: BROKEN_LATE + b'\n"never closed', "not well formed"),
        (lambda: BROKEN_LATE + b"\nbad\0,server", "NUL byte"),
        (lambda: BROKEN_LATE + b"\n" + b"," * 300, "columns; up to 256"),
    ],
)
async def test_of_a_hostile_file_nothing_is_imported(
    imports: Imports, world: World, attempt: Attempt, content: Callable[[], bytes], words: str
) -> None:
    data = await imports.prepare(content())
    context = attempt(world.tenant)
    with pytest.raises(errors.FileRefusedError, match=words):
        await asset_import(context, data)
    job = imports.job(data)
    assert (job["status"], job["processed_rows"]) == ("failed", 0)
    assert words in job["error"]
    assert imports.assets() == imports.items(data) == imports.mappings() == []
    assert context.completion() is None


@pytest.mark.parametrize("told", [300 << 20, 10])
async def test_a_file_of_300_megabytes_is_refused_before_it_is_read(
    imports: Imports, world: World, attempt: Attempt, store: DirectoryFileStore, tmp_path: Path, told: int
) -> None:
    """Told is what the file's row says of its size; where that is too little, reading ends at the limit."""
    data = await imports.prepare(b"Name,Type\n")
    (file,) = world.rows("select * from billing.files")
    os.truncate(store.path_of(file["storage_key"]), 300 << 20)
    world.execute("update billing.files set size = %s", told)
    opened: list[Any] = []

    class Watched(DirectoryFileStore):
        async def open(self, key: str) -> Any:
            opened.append(await super().open(key))
            return opened[-1]

    context = attempt(world.tenant)
    context.services.add(Watched(tmp_path / "files"), FileStore)
    limit = ImportLimits().file_bytes
    with pytest.raises(errors.FileRefusedError, match=f"{300 << 20} bytes|more than {limit} bytes"):
        await asset_import(context, data)
    assert len(opened) == (0 if told == 300 << 20 else 1)
    assert imports.assets() == []


async def test_a_path_in_a_file_name_leads_nowhere(
    imports: Imports, world: World, attempt: Attempt, store: DirectoryFileStore
) -> None:
    data = await imports.prepare(csv_of(LAPTOP), "../../../etc/passwd")
    assert (await asset_import(attempt(world.tenant), data))["created"] == 1


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "theirs"])
async def test_a_storage_key_that_is_not_the_tenants_is_refused(
    imports: Imports, world: World, attempt: Attempt, store: DirectoryFileStore, key: str
) -> None:
    if key == "theirs":
        key = (await store.put(world.add_tenant(), "secret.csv", csv_of(LAPTOP))).key
    data = await imports.prepare(csv_of(LAPTOP))
    world.execute("update billing.files set storage_key = %s", key)
    with pytest.raises(UnsafeFileKeyError):
        await asset_import(attempt(world.tenant), data)
    assert imports.job(data)["status"] == "failed"
    assert imports.assets() == []


async def test_no_cell_is_logged_or_stored_beyond_the_items(
    imports: Imports, world: World, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "jane.doe@example.com"
    rows = [f"{secret},server,S-1", f"bravo,server,,,{secret}", f"charlie,server,,,,{secret}", f"delta,a,,,,,{secret}"]
    for content in (csv_of(*rows), csv_of(*rows, f'"{secret}"x')):
        data = await imports.prepare(content)
        context = attempt(world.tenant)
        with suppress(errors.FileRefusedError):
            await asset_import(context, data)
        job = imports.job(data)
        assert secret not in str(job | {"context": None})
        assert secret not in str([item["errors"] for item in imports.items(data)])
        assert secret not in json.dumps(context.completion())
    assert "jobcore.test" in {record.name for record in caplog.records}
    assert secret not in caplog.text


async def test_what_people_mapped_in_the_context_wins_over_the_source(
    imports: Imports, world: World, attempt: Attempt
) -> None:
    world.execute("update billing.import_sources set field_mapping = %s", Jsonb({"name": "Tag", "asset_type": "Type"}))
    data = await imports.prepare(csv_of("alpha,server,,tagged"), fieldMapping={"name": "Name", "asset_type": "Type"})
    await asset_import(attempt(world.tenant), data)
    assert imports.assets()[0]["name"] == "alpha"
