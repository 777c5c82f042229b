"""A server of our own: started, reached, restarted, reused, refused, gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from jobcore.errors import StorageError
from jobcore_devkit import (
    BinariesNotFoundError,
    DataFolderError,
    PostgresServer,
    ServerNotRunningError,
    ServerStartError,
    _placement,
    find_installations,
)
from jobcore_devkit._ports import is_free
from jobcore_devkit._postmaster import is_postgres
from jobcore_devkit.errors import PortTakenError

Query = Callable[..., object]


@pytest.fixture
def server():
    with PostgresServer.temporary() as server:
        yield server


def test_every_installation_of_the_machine_serves(bin_dir: Path, query: Query):
    with PostgresServer.temporary(bin_dir=bin_dir) as server:
        assert query(server.dsn(), "SHOW server_version").startswith(server.version)


def test_it_is_reached_through_the_socket_and_through_tcp(postgres_server: PostgresServer, query: Query):
    assert query(postgres_server.dsn(), "SELECT inet_server_port()") is None
    assert query(postgres_server.dsn(tcp=True), "SELECT inet_server_port()") == postgres_server.port


def test_tcp_refuses_a_wrong_password(postgres_server: PostgresServer):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.dsn(tcp=True, password="wrong"))


def test_a_new_login_role_enters_by_the_socket_freely_and_by_tcp_with_its_password(
    postgres_server: PostgresServer, query: Query
):
    query(postgres_server.dsn(), "CREATE ROLE \"we:ird/@role\" LOGIN PASSWORD 'p@ss/w%rd'")
    assert query(postgres_server.dsn(user="we:ird/@role"), "SELECT current_user") == "we:ird/@role"
    assert query(postgres_server.dsn(user="we:ird/@role", password="p@ss/w%rd", tcp=True), "SELECT 1") == 1


def test_only_its_own_user_and_root_can_reach_the_socket(postgres_server: PostgresServer):
    assert postgres_server.socket_dir is not None
    assert postgres_server.socket_dir.stat().st_mode & 0o077 == 0


def test_the_server_does_not_run_as_root(postgres_server: PostgresServer):
    assert Path(f"/proc/{postgres_server.pid}").stat().st_uid != 0


def test_the_server_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOBCORE_SECRET", "hunter2")
    with PostgresServer.temporary() as server:
        assert b"hunter2" not in Path(f"/proc/{server.pid}/environ").read_bytes()


@pytest.mark.parametrize("durable", [True, False])
def test_an_immediate_restart_keeps_what_was_committed_and_the_connection_strings(durable: bool, query: Query):
    with PostgresServer.temporary(durable=durable) as server:
        socket, tcp = server.dsn(), server.dsn(tcp=True)
        query(socket, "CREATE TABLE kept AS SELECT generate_series(1, 1000)")
        server.restart("immediate")
        assert query(socket, "SELECT count(*) FROM kept") == 1000
        assert (server.dsn(), server.dsn(tcp=True)) == (socket, tcp)


def test_settings_are_in_force_and_durability_is_the_default(query: Query, folder: Path):
    with PostgresServer(folder / "data", settings={"max_connections": "37"}, ephemeral=True) as server:
        assert query(server.dsn(), "SHOW max_connections") == "37"
        assert query(server.dsn(), "SHOW fsync") == "on"


@pytest.mark.parametrize(
    ("durable", "room", "in_memory"), [(False, 1, True), (False, 1 << 60, False), (True, 1, False)]
)
def test_what_need_not_last_is_kept_in_memory_where_there_is_room(
    durable: bool, room: int, in_memory: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "memory").mkdir()
    (folder / "memory").chmod(0o1777)
    monkeypatch.setattr(_placement, "MEMORY_FOLDER", str(folder / "memory"))
    monkeypatch.setattr(_placement, "ROOM_IN_MEMORY", room)
    with PostgresServer.temporary(durable=durable) as server:
        assert server.data_dir.is_relative_to(folder / "memory") is in_memory


def test_two_servers_run_at_once(query: Query):
    with PostgresServer.temporary() as one, PostgresServer.temporary() as two:
        assert one.port != two.port
        assert query(one.dsn(), "SELECT system_identifier FROM pg_control_system()") != query(
            two.dsn(), "SELECT system_identifier FROM pg_control_system()"
        )


def test_a_folder_is_reused(folder: Path, query: Query):
    with PostgresServer(folder / "data") as server:
        query(server.dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
    with PostgresServer(folder / "data") as server:
        assert query(server.dsn(), "SELECT answer FROM kept") == 42


def test_a_folder_is_served_by_the_version_that_wrote_it(folder: Path, bin_dir: Path):
    with PostgresServer(folder / "data", bin_dir=bin_dir) as first:
        version = first.version
    with PostgresServer(folder / "data") as second:
        assert second.version == version


def test_a_second_handle_attaches_and_can_stop(folder: Path, query: Query):
    first, second = PostgresServer(folder / "data"), PostgresServer(folder / "data")
    with first, second:
        assert (second.pid, second.dsn(), second.port) == (first.pid, first.dsn(), first.port)
        second.stop()
        assert not first.running
        first.start()
        assert query(first.dsn(tcp=True), "SELECT 1") == 1


def test_a_server_that_was_killed_starts_again_on_its_folder(wait_until, server: PostgresServer, query: Query):
    query(server.dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
    with psycopg.connect(server.dsn()):  # its backend is there still when the server is gone
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not server.running)
        server.start()
    assert query(server.dsn(), "SELECT answer FROM kept") == 42


def test_a_stale_pid_file_that_names_another_program_does_not_hinder(folder: Path, query: Query):
    with PostgresServer(folder / "data") as server:
        real = server.data_dir
    (real / "postmaster.pid").write_text(f"{os.getpid()}\n{real}\n1\n5432\n/tmp\n127.0.0.1\n\nready\n")
    with PostgresServer(folder / "data") as server:
        assert query(server.dsn(), "SELECT 1") == 1


def test_nothing_remains_of_an_ephemeral_server():
    with PostgresServer.temporary() as server:
        pid, home, port = server.pid, server.data_dir.parent, server.port
    assert not is_postgres(pid)
    assert not home.exists()
    assert is_free(port)


def test_a_long_path_gets_a_short_folder_for_its_socket_which_goes_with_the_server(folder: Path, query: Query):
    with PostgresServer(folder / ("long" * 40) / "data") as server:
        assert query(server.dsn(), "SELECT 1") == 1
        sockets = server.socket_dir
    assert sockets is not None
    assert not sockets.exists()


def test_garbage_in_the_folder_is_refused_and_left_alone(folder: Path):
    (folder / "data").mkdir()
    (folder / "data" / "thesis.txt").write_text("important")
    with pytest.raises(DataFolderError, match="holds files but no PostgreSQL data"):
        PostgresServer(folder / "data").start()
    assert (folder / "data" / "thesis.txt").read_text() == "important"


def test_a_file_in_the_folders_place_is_refused(folder: Path):
    (folder / "data").write_text("")
    with pytest.raises(DataFolderError, match="is not a folder"):
        PostgresServer(folder / "data").start()


def test_damaged_data_gives_an_error_with_the_end_of_the_log(folder: Path):
    with PostgresServer(folder / "data") as server:
        (server.data_dir / "global" / "pg_control").unlink()
        server.stop("immediate")
        with pytest.raises(ServerStartError, match="did not start on") as caught:
            server.start()
    assert "could not" in caught.value.log_tail
    assert isinstance(caught.value, StorageError)


def test_a_wrong_setting_is_named():
    with pytest.raises(ServerStartError, match="no_such_setting"):
        PostgresServer.temporary(settings={"no_such_setting": "1"}).start()


def test_data_of_a_version_that_is_not_installed_names_those_that_are(folder: Path):
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(BinariesNotFoundError, match=r"PostgreSQL 9, which wrote the data folder.*is version"):
        PostgresServer(folder / "data").start()


def test_a_folder_without_programs_is_refused(folder: Path):
    with pytest.raises(BinariesNotFoundError, match="has no postgres and no initdb"):
        PostgresServer(folder / "data", bin_dir=folder).start()


def test_a_taken_fixed_port_is_an_error_that_names_it(postgres_server: PostgresServer, folder: Path):
    with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{postgres_server.port}, which is in use.*port 0"):
        PostgresServer(folder / "data", port=postgres_server.port).start()


def test_a_server_that_was_not_started_says_so(folder: Path):
    server = PostgresServer(folder / "data")
    with pytest.raises(ServerNotRunningError, match="call start"):
        server.dsn()
    with pytest.raises(ServerNotRunningError, match="call start"):
        _ = server.pid
    server.stop()
    assert server.log_tail() == ""


def test_the_wheel_is_among_the_installations():
    assert [each.origin for each in find_installations()][:1] == ["wheel"]


OWNER = textwrap.dedent(
    """
    import sys
    from jobcore_devkit import PostgresServer
    server = PostgresServer.temporary()
    server.start()
    print(server.pid, server.data_dir.parent, server.dsn(), flush=True)
    sys.stdin.read()
    """
)


def start_owner() -> tuple[subprocess.Popen[str], int, Path, str]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    )
    pid, folder, dsn = owner.stdout.readline().split()
    return owner, int(pid), Path(folder), dsn


def test_an_ephemeral_server_does_not_outlive_a_killed_owner(wait_until, query: Query):
    owner, pid, folder, dsn = start_owner()
    assert query(dsn, "SELECT 1") == 1
    owner.kill()
    owner.communicate()
    wait_until(lambda: not is_postgres(pid) and not folder.exists())


def test_an_ephemeral_server_ends_with_an_owner_that_never_stopped_it(wait_until):
    owner, pid, folder, _ = start_owner()
    owner.communicate()
    wait_until(lambda: not is_postgres(pid) and not folder.exists())


ORDINARY_OWNER = textwrap.dedent(
    """
    import os, sys
    from jobcore_devkit import PostgresServer
    user, group, folder, bin_dir = sys.argv[1:]
    os.setgroups([]); os.setgid(int(group)); os.setuid(int(user))  # here, since he may be unable to start this Python
    with PostgresServer(folder + "/data", bin_dir=bin_dir) as server:
        print(server.pid, server.dsn(), flush=True)
        sys.stdin.read()
    """
)


def test_an_ordinary_user_runs_a_server_as_himself(
    ordinary_user, folder: Path, postgres_server: PostgresServer, query: Query
):
    os.chown(folder, ordinary_user.pw_uid, ordinary_user.pw_gid)
    identity = [str(ordinary_user.pw_uid), str(ordinary_user.pw_gid)]
    owner = subprocess.Popen(
        [sys.executable, "-c", ORDINARY_OWNER, *identity, folder, postgres_server.bin_dir],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
    )  # fmt: skip
    pid, dsn = owner.stdout.readline().split()
    assert Path(f"/proc/{pid}").stat().st_uid == ordinary_user.pw_uid
    assert query(dsn, "SELECT 1") == 1
    owner.communicate()
    assert owner.returncode == 0
    assert not is_postgres(int(pid))


def test_root_serves_another_users_data_as_that_user(ordinary_user, folder: Path, query: Query):
    (folder / "data").mkdir()
    os.chown(folder / "data", ordinary_user.pw_uid, ordinary_user.pw_gid)
    with PostgresServer(folder / "data") as server:
        assert query(server.dsn(), "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid == ordinary_user.pw_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_root_keeps_data_of_a_private_folder_elsewhere_and_opens_nothing(folder: Path, query: Query):
    private = folder / "private"
    private.mkdir(mode=0o700)
    with PostgresServer(private / "data", ephemeral=True) as server:
        assert query(server.dsn(), "SELECT 1") == 1
        assert (private / "data").resolve() == server.data_dir
        assert private.stat().st_mode & 0o777 == 0o700
        server.restart()
        assert query(server.dsn(), "SELECT 1") == 1
    assert not server.data_dir.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_root_uses_programs_that_the_servers_user_cannot_reach(folder: Path, query: Query):
    wheel = next(each for each in find_installations() if each.origin == "wheel")
    private = folder / "private"
    private.mkdir(mode=0o700)
    package = wheel.bin_dir.parent.parent
    subprocess.run(["cp", "-a", package, package.with_name(f"{package.name}.libs"), private], check=True)
    with PostgresServer.temporary(bin_dir=private / package.name / wheel.bin_dir.parent.name / "bin") as server:
        assert query(server.dsn(), "SELECT 1") == 1
    shutil.rmtree(server.bin_dir.parents[2])
    assert private.stat().st_mode & 0o777 == 0o700
