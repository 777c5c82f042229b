from __future__ import annotations

import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from jobcore_devkit import find_installations


@pytest.fixture(params=[each.version for each in find_installations()], scope="session")
def bin_dir(request: pytest.FixtureRequest) -> Path:
    """The programs of each PostgreSQL on this machine, one after the other."""
    return next(each.bin_dir for each in find_installations() if each.version == request.param)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may pass, unlike `tmp_path`, so that root's servers keep their data in it."""
    path = Path(tempfile.mkdtemp(prefix="jobcore-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def query() -> Callable[..., object]:
    def first_value(dsn: str, statement: str) -> object:
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement)  # pyright: ignore[reportArgumentType]
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    return first_value


@pytest.fixture
def wait_until() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not become true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def ordinary_user() -> pwd.struct_passwd:
    """The user `nobody`, for what root does on behalf of somebody else."""
    if os.geteuid() != 0:
        pytest.skip("only root can run something as another user")
    return pwd.getpwnam("nobody")
