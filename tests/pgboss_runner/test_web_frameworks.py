"""Requests of real web frameworks enqueue on PostgreSQL, in the transaction of the request or on their own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection as django_connection
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client
from django.test.utils import override_settings
from django.urls import path
from flask import Flask, g, jsonify, request
from werkzeug.serving import make_server

from jobcore import BlockingJobApp, JobContext, JobData, job
from jobcore.settings import Settings
from pgboss_runner.bridge_callers_blocking import Django
from pgboss_runner.harness import TENANT

PATIENCE = 20


class Order(JobData):
    number: int


@job("confirm")
async def confirm(ctx: JobContext, data: Order) -> str:
    return f"order {data.number} is confirmed"


@pytest.fixture
def jobs(database_dsn: str) -> Generator[BlockingJobApp]:
    with psycopg.connect(database_dsn) as connection:
        connection.execute("create table orders (number int primary key)")
    settings = Settings.load(env={"DATABASE_URL": database_dsn, "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"})
    with BlockingJobApp(settings, handlers=[confirm]) as jobs:
        worker = jobs.worker()
        worker.start()
        yield jobs
        worker.stop(timedelta(seconds=5))


def counts(dsn: str) -> tuple[Any, ...]:
    with psycopg.connect(dsn) as connection:
        [row] = connection.execute("select (select count(*) from orders), (select count(*) from jobs)").fetchall()
    return row


def confirmed(jobs: BlockingJobApp, job_id: str) -> str:
    return jobs.handle(TENANT, job_id).result(timeout=PATIENCE)


# -- Django ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def django_site(jobs: BlockingJobApp, database_dsn: str) -> Generator[None]:
    """A Django project with three views, on the database of the jobs."""

    def place(number: int) -> str:
        with transaction.atomic():
            with django_connection.cursor() as cursor:
                cursor.execute("insert into orders values (%s)", [number])
            handle = jobs.enqueue(confirm, Order(number=number), tenant=TENANT, connection=django_connection)
            if number == 13:
                raise ValueError("unlucky")
        return str(handle.job_id)

    def view(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"job": place(int(request.POST["number"]))})

    async def async_view(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"job": await sync_to_async(place)(int(request.POST["number"]))})

    async def pool_view(request: HttpRequest) -> JsonResponse:
        number = int(request.POST["number"])
        handle = await asyncio.to_thread(jobs.enqueue, confirm, Order(number=number), tenant=TENANT)
        return JsonResponse({"job": str(handle.job_id)})

    urls = ModuleType("shop_urls")
    urls.urlpatterns = [path("orders", view), path("async", async_view), path("pool", pool_view)]  # pyright: ignore
    with ExitStack() as site:
        site.enter_context(Django.open(database_dsn))
        site.enter_context(override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"], MIDDLEWARE=[]))
        yield


def test_a_django_request_commits_its_row_and_its_job(
    django_site: None, jobs: BlockingJobApp, database_dsn: str
) -> None:
    answer = Client().post("/orders", {"number": 7})
    assert answer.status_code == 200
    assert confirmed(jobs, answer.json()["job"]) == "order 7 is confirmed"
    assert counts(database_dsn) == (1, 1)


def test_a_django_request_that_fails_leaves_neither(django_site: None, database_dsn: str) -> None:
    assert Client(raise_request_exception=False).post("/orders", {"number": 13}).status_code == 500
    assert counts(database_dsn) == (0, 0)


@pytest.mark.parametrize("place", ["/async", "/pool"])
def test_an_async_django_view_enqueues_in_a_thread(django_site: None, jobs: BlockingJobApp, place: str) -> None:
    async def post() -> Any:
        return await AsyncClient().post(place, {"number": 8})

    answer = asyncio.run(post())
    assert answer.status_code == 200
    assert confirmed(jobs, json.loads(answer.content)["job"]) == "order 8 is confirmed"


# -- Flask -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def flask_site(jobs: BlockingJobApp, database_dsn: str) -> Flask:
    """A Flask application whose requests have a connection each, as Flask's own tutorial makes it."""
    site = Flask("shop")

    @site.before_request
    def connect() -> None:
        g.connection = psycopg.connect(database_dsn)

    @site.teardown_request
    def end(error: BaseException | None) -> None:
        with g.pop("connection") as connection:
            (connection.rollback if error else connection.commit)()

    @site.post("/orders")
    def place() -> Any:
        number = int(request.form["number"])
        g.connection.execute("insert into orders values (%s)", [number])
        handle = jobs.enqueue(confirm, Order(number=number), tenant=TENANT, connection=g.connection)
        if number == 13:
            raise ValueError("unlucky")
        return jsonify(job=str(handle.job_id))

    return site


def test_a_flask_request_commits_its_row_and_its_job(
    flask_site: Flask, jobs: BlockingJobApp, database_dsn: str
) -> None:
    answer = flask_site.test_client().post("/orders", data={"number": 7})
    assert answer.status_code == 200
    assert confirmed(jobs, answer.get_json()["job"]) == "order 7 is confirmed"
    assert counts(database_dsn) == (1, 1)


def test_a_flask_request_that_fails_leaves_neither(flask_site: Flask, database_dsn: str) -> None:
    assert flask_site.test_client().post("/orders", data={"number": 13}).status_code == 500
    assert counts(database_dsn) == (0, 0)


def test_many_requests_at_once_share_one_application(
    flask_site: Flask, jobs: BlockingJobApp, database_dsn: str
) -> None:
    """As a server with threads serves them."""
    server = make_server("127.0.0.1", 0, flask_site, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()

    def post(number: int) -> str:
        form = Request(f"http://127.0.0.1:{server.server_port}/orders", f"number={number}".encode(), method="POST")
        with urlopen(form, timeout=PATIENCE) as answer:
            return json.load(answer)["job"]

    try:
        with ThreadPoolExecutor(8) as clients:
            placed = list(clients.map(post, range(100, 124)))
    finally:
        server.shutdown()
        serving.join()
    assert [confirmed(jobs, job_id) for job_id in placed] == [f"order {n} is confirmed" for n in range(100, 124)]
    assert counts(database_dsn) == (24, 24)


# -- scripts -----------------------------------------------------------------------------------------------------------

SCRIPT = """
import asyncio, signal
from jobcore import BlockingJobApp, JobContext, JobData, job

class Order(JobData):
    number: int

@job("pack")
async def pack(ctx: JobContext, data: Order) -> str:
    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        await asyncio.sleep(0.01)
    return f"order {data.number} is packed"

with BlockingJobApp(handlers=[pack]) as jobs:
    placed = jobs.enqueue(pack, Order(number=3), tenant="system")
    print(placed.job_id, flush=True)
    jobs.run_worker()
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_script_enqueues_and_works_until_it_is_told_to_stop(
    jobs: BlockingJobApp, database_dsn: str, tmp_path: Path, number: signal.Signals
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {"DATABASE_URL": database_dsn, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        job_id = process.stdout.readline().strip()
        assert jobs.handle("system", job_id).result(timeout=PATIENCE) == "order 3 is packed"
        process.send_signal(number)
        assert process.stdout.read() == "stopped\n"
        assert process.wait(PATIENCE) == 0
