"""The file store in a folder: whole files or none, and no way out."""

from __future__ import annotations

import io
import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore_handlers.errors import FileStoreError, StoredFileMissingError, UnsafeFileKeyError
from jobcore_handlers.files import DirectoryFileStore, safe_name, unique_name
from jobcore_handlers.files.names import MAX_BYTES

TENANT = UUID("11111111-2222-3333-4444-555555555555")


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def read(store: DirectoryFileStore, key: str) -> bytes:
    with await store.open(key) as reader:
        return reader.read()


async def test_what_is_put_is_read_back(store: DirectoryFileStore) -> None:
    stored = await store.put(TENANT, "INV-1.pdf", b"content")
    assert await read(store, stored.key) == b"content"
    assert (stored.size, stored.name) == (7, "INV-1.pdf")
    assert stored.sha256.startswith("ed7002b439e9ac84")
    assert await store.exists(stored.key)
    assert store.path_of(stored.key).stat().st_mode & 0o777 == 0o600


async def test_a_reader_is_copied_from_where_it_stands(store: DirectoryFileStore) -> None:
    source = io.BytesIO(b"x" * 3_000_000)
    source.seek(1_000_000)
    assert (await store.put(TENANT, "big", source)).size == 2_000_000


async def test_the_same_id_replaces_the_file_under_whatever_name(store: DirectoryFileStore) -> None:
    file_id = uuid4()
    first = await store.put(TENANT, "a.zip", b"1", file_id=file_id)
    second = await store.put(TENANT, "b.zip", b"2", file_id=file_id)
    assert not await store.exists(first.key)
    assert await read(store, second.key) == b"2"
    assert [path.name for path in store.path_of(second.key).parent.iterdir()] == ["b.zip"]


async def test_a_deleted_file_is_gone(store: DirectoryFileStore) -> None:
    stored = await store.put(TENANT, "a", b"1")
    assert await store.delete(stored.key)
    assert not await store.delete(stored.key)
    assert not await store.exists(stored.key)
    with pytest.raises(StoredFileMissingError, match="no file"):
        await store.open(stored.key)


async def test_a_source_that_breaks_leaves_nothing_behind(store: DirectoryFileStore, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the disk is gone")

    with pytest.raises(FileStoreError, match="'a' cannot be stored"):
        await store.put(TENANT, "a", Broken())
    assert files_below(tmp_path) == []


async def test_what_a_killed_worker_left_half_written_is_removed_after_a_day(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    incoming.mkdir()
    old, young = incoming / "old", incoming / "young"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    await DirectoryFileStore(tmp_path).put(TENANT, "a", b"1")
    assert (old.exists(), young.exists()) == (False, True)


ID = "aaaaaaaa-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "key",
    [
        "/etc/passwd", "../secret", f"{TENANT}/{ID}/../../x", f"{TENANT}/../{TENANT}/{ID}", f"{TENANT}/{ID}/..",
        f"{TENANT}/{ID}/a/b", f"{TENANT}/{ID}/a\\b", f"{TENANT}/{ID}/a\0b", f"{TENANT}/{ID}/", f"{TENANT}//a", "",
        f"{TENANT}/{ID}/a\n", f"{ID}/a", f"{TENANT}/{ID}/{'n' * 300}", f"./{TENANT}/{ID}/a",
    ],
)  # fmt: skip
async def test_a_key_that_the_store_does_not_give_out_is_refused(store: DirectoryFileStore, key: str) -> None:
    for use in (store.open, store.delete, store.exists):
        with pytest.raises(UnsafeFileKeyError):
            await use(key)


async def test_a_link_planted_in_the_store_does_not_lead_out(store: DirectoryFileStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a").write_text("secret")
    stored = await store.put(TENANT, "a", b"1")
    path = store.path_of(stored.key)
    path.unlink()
    path.symlink_to(secret / "a")
    with pytest.raises(UnsafeFileKeyError):
        await store.open(stored.key)
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(secret)
    with pytest.raises(UnsafeFileKeyError):
        await store.open(stored.key)


@given(st.text(max_size=400))
def test_any_name_becomes_one_safe_component_and_stays_so(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe not in (".", "..")
    assert os.path.basename(safe) == safe  # noqa: PTH119 - asks the system what a component is
    assert not set(safe) & set('<>:"/\\|?*\0\n')
    assert len(safe.encode()) <= MAX_BYTES
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"), ("C:\\x.pdf", "C__x.pdf"), ("..", "file"), ("", "file"),
        ("nul.pdf", "_nul.pdf"), ("a\u202efdp.exe", "a_fdp.exe"), ("Ünïcode 2025.pdf", "Ünïcode 2025.pdf"),
        ("///", "file"), (".hidden", "hidden"), ("trailing. . ", "trailing"),
    ],
)  # fmt: skip
def test_hostile_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("é" * 300 + ".pdf").endswith("é.pdf")


def test_names_that_are_taken_get_a_number() -> None:
    assert unique_name("A.pdf", set()) == "A.pdf"
    assert unique_name("A.pdf", {"a.pdf", "a (2).pdf"}) == "A (3).pdf"
    assert unique_name("README", {"readme"}) == "README (2)"
