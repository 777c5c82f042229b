"""Where a server's files live, so that its user can reach them and nobody else is let in.

When root starts a server it runs as an ordinary user, who may be unable to pass a parent folder (a clone in `/root`).
Opening `/root` for everybody would be a poor trade, so the folder is put under `/var/lib/jobcore`, and a symbolic
link stands where it was asked for; programs that the user cannot start are copied there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from jobcore_devkit._account import Account
from jobcore_devkit.errors import BinariesNotFoundError, DataFolderError
from jobcore_devkit.installations import NEEDED_PROGRAMS, Installation

REACHABLE_ROOT = Path("/var/lib/jobcore")
TEMPORARY_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108 - only folders made by mkdtemp are used in them
MEMORY_FOLDER = "/dev/shm"  # noqa: S108 - as above
ROOM_IN_MEMORY = 2 * 1024**3
"""Bytes that must be free there: a suite's databases, and as much of the write-ahead log as PostgreSQL keeps."""
LONGEST_SOCKET_FOLDER = 80  # sun_path holds 104 bytes on macOS, 108 on Linux; the socket's name takes up to 17


def place_data(asked: Path, account: Account) -> Path:
    """Create the data folder (0700, owned by the server's user) and return its real path.

    Raises DataFolderError if the folder holds something else than a PostgreSQL cluster or cannot be made reachable.
    """
    folder = asked.resolve()
    _refuse_foreign_content(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not account.can_enter(folder.parent):
        folder = _relocate(asked.absolute(), folder, account)
    if not folder.exists():
        folder.mkdir(mode=0o700)
        account.own(folder)
    elif not any(folder.iterdir()):
        account.own(folder)
        folder.chmod(0o700)
    return folder


def place_binaries(installation: Installation, account: Account) -> Installation:
    """Return the installation, or a copy that the account can start when it cannot reach the original."""
    if _can_run(installation.bin_dir, account):
        return installation
    prefix = installation.bin_dir.parent
    copy = _reachable_folder() / f"postgresql-{installation.version}-{_short_hash(prefix)}"
    if not copy.exists():
        _copy_readable(prefix, copy)
    bin_dir = copy / prefix.parent.name / prefix.name / "bin"
    if not _can_run(bin_dir, account):
        raise BinariesNotFoundError(
            f"User {account.name!r}, who runs PostgreSQL for root, can start neither the programs in "
            f"{installation.bin_dir} nor their copy in {bin_dir}. Pass the folder of an installation of the system."
        )
    return Installation(bin_dir, installation.version, installation.origin)


def socket_folder(data_dir: Path, account: Account) -> Path:
    """The folder of the server's socket: the data folder if its path is short and plain, else a new temporary one."""
    if len(os.fsencode(data_dir)) <= LONGEST_SOCKET_FOLDER and re.fullmatch(r"[\w./@+-]+", str(data_dir)):
        return data_dir
    return temporary_folder("jobcore-socket-", account)


def temporary_folder(prefix: str, account: Account, *, in_memory: bool = False) -> Path:
    """Make a folder of mode 0700 for the account, under the first temporary folder that it can enter.

    With `in_memory` it lies in memory where there is room: files that need not last are made several times faster.
    """
    memory = (MEMORY_FOLDER,) if in_memory and _has_room(MEMORY_FOLDER) else ()
    for parent in (*memory, tempfile.gettempdir(), *TEMPORARY_FOLDERS):
        if len(parent) < LONGEST_SOCKET_FOLDER // 2 and account.can_enter(Path(parent)):
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
            account.own(folder)
            return folder
    raise DataFolderError(f"User {account.name!r} can enter none of the temporary folders; point TMPDIR at one.")


def _has_room(folder: str) -> bool:
    return Path(folder).is_dir() and shutil.disk_usage(folder).free >= ROOM_IN_MEMORY


def _refuse_foreign_content(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DataFolderError(f"{folder} is not a folder, so it cannot hold PostgreSQL's data. Name another one.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "PG_VERSION").is_file():
        raise DataFolderError(
            f"{folder} holds files but no PostgreSQL data (there is no PG_VERSION). Name an empty folder, or delete it."
        )


def _relocate(link: Path, folder: Path, account: Account) -> Path:
    if folder.exists():
        if any(folder.iterdir()):
            raise DataFolderError(
                f"User {account.name!r}, who runs PostgreSQL for root, cannot reach the data in {folder}. "
                "Move it to a folder whose parents everybody may pass."
            )
        folder.rmdir()
    elsewhere = Path(tempfile.mkdtemp(prefix="data-", dir=_reachable_folder()))
    link.symlink_to(elsewhere)
    return elsewhere


def _reachable_folder() -> Path:
    REACHABLE_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    REACHABLE_ROOT.chmod(0o755)
    return REACHABLE_ROOT


def _can_run(bin_dir: Path, account: Account) -> bool:
    return all(account.can_execute(bin_dir / name) for name in NEEDED_PROGRAMS)


def _copy_readable(prefix: Path, copy: Path) -> None:
    """Copy an installation, readable by all, so that it appears whole or not at all.

    A wheel keeps the libraries of its programs in a folder beside its package and finds them by relative path, so the
    last two folders of the prefix and that one keep their names.
    """
    package = prefix.parent
    libraries = package.with_name(f"{package.name}.libs")
    staging = Path(tempfile.mkdtemp(dir=copy.parent))
    try:
        ignored = shutil.ignore_patterns("include")
        shutil.copytree(prefix, staging / package.name / prefix.name, symlinks=True, ignore=ignored)
        if libraries.is_dir():
            shutil.copytree(libraries, staging / libraries.name, symlinks=True)
        for path in (staging, *staging.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | 0o555 if path.is_dir() or mode & 0o100 else mode | 0o444)
        staging.rename(copy)
    except OSError:
        if not copy.exists():  # otherwise another process was faster, and its copy is as good
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
