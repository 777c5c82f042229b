"""A new cluster: `initdb` into a folder beside its place, so that an interrupted one never looks like data."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from jobcore_devkit._account import Account
from jobcore_devkit.errors import ServerStartError
from jobcore_devkit.installations import Installation

SUPERUSER = "postgres"
PASSWORD_FILE = "jobcore.password"  # noqa: S105 - a file's name


def has_cluster(data_dir: Path) -> bool:
    return (data_dir / "PG_VERSION").is_file()


def cluster_version(data_dir: Path) -> int | None:
    """The major version that wrote a data folder; None if it is empty or absent."""
    try:
        return int((data_dir / "PG_VERSION").read_text().strip().split(".")[0])
    except FileNotFoundError:
        return None


def superuser_password(data_dir: Path) -> str | None:
    """The password for TCP that `create_cluster` made up; None for a cluster that somebody else created."""
    try:
        return (data_dir / PASSWORD_FILE).read_text().strip()
    except FileNotFoundError:
        return None


def create_cluster(data_dir: Path, installation: Installation, account: Account, *, durable: bool) -> None:
    """Run initdb. Blocks for about a second. Raises ServerStartError with what initdb said.

    The socket trusts (its folder lets in the server's user and root only); TCP asks for a password (SCRAM-SHA-256).
    """
    staging = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}-", dir=data_dir.parent))
    try:
        cluster = staging / "cluster"
        password_file = _write_password(staging, account)
        account.own(staging)
        _initdb(cluster, password_file, installation, account, durable=durable)
        password_file.rename(cluster / PASSWORD_FILE)
        cluster.rename(data_dir)
    finally:
        shutil.rmtree(staging)


def _initdb(cluster: Path, password_file: Path, installation: Installation, account: Account, *, durable: bool) -> None:
    result = account.run([
        installation.bin_dir / "initdb", "--pgdata", cluster, "--username", SUPERUSER, "--pwfile", password_file,
        "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ])  # fmt: skip
    if result.returncode != 0:
        raise ServerStartError(
            f"initdb could not create a cluster in {cluster}.", (result.stdout + result.stderr).strip()
        )


def _write_password(folder: Path, account: Account) -> Path:
    path = folder / PASSWORD_FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24) + "\n")
    account.own(path)
    return path
