"""The file stores, in a folder and on S3: whole files or none, and no way out."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.buckets import KEYS, Bucket
from jobcore_handlers.errors import FileStoreError, StoredFileMissingError, UnsafeFileKeyError
from jobcore_handlers.files import DirectoryFileStore, FileStore, own_key, safe_name, unique_name
from jobcore_handlers.files.names import MAX_BYTES
from jobcore_handlers.files.s3 import S3FileStore

TENANT = UUID("11111111-2222-3333-4444-555555555555")
ID = "aaaaaaaa-0000-4000-8000-000000000000"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Zeros(io.RawIOBase):
    """As many zeros as are wanted, none of them kept."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = bytes(min(self._left, size) if size >= 0 else self._left)
        self._left -= len(piece)
        return piece


class Broken(Zeros):
    """A source that breaks when it has given so many bytes."""

    def __init__(self, sound: int = 0) -> None:
        super().__init__(sound)

    def read(self, size: int = -1, /) -> bytes:
        if piece := super().read(size):
            return piece
        raise OSError("the disk is gone")


@pytest.fixture(params=["folder", "s3"])
def any_store(request: pytest.FixtureRequest) -> FileStore:
    if request.param == "s3":
        return request.getfixturevalue("bucket").store()
    return request.getfixturevalue("store")


async def read(store: FileStore, key: str) -> bytes:
    with await store.open(key) as reader:
        return reader.read()


# -- every store -------------------------------------------------------------------------------------------------------


async def test_what_is_put_is_read_back(any_store: FileStore) -> None:
    stored = await any_store.put(TENANT, "INV-1.pdf", b"content")
    assert await read(any_store, stored.key) == b"content"
    assert (stored.size, stored.name) == (7, "INV-1.pdf")
    assert stored.sha256.startswith("ed7002b439e9ac84")
    assert await any_store.exists(stored.key)


async def test_a_file_is_read_in_pieces(any_store: FileStore) -> None:
    content = bytes(range(256)) * 10_000
    stored = await any_store.put(TENANT, "a", content)
    with await any_store.open(stored.key) as reader:
        pieces = list(iter(lambda: reader.read(70_000), b""))
    assert max(map(len, pieces)) == 70_000
    assert b"".join(pieces) == content


async def test_a_file_of_several_parts_arrives_whole(any_store: FileStore) -> None:
    content = os.urandom(1 << 20) * 20
    stored = await any_store.put(TENANT, "large", io.BytesIO(content))
    assert (stored.size, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await read(any_store, stored.key) == content


async def test_names_are_made_safe(any_store: FileStore) -> None:
    stored = await any_store.put(TENANT, "../../etc/passwd", b"1")
    assert stored.name == "_.._etc_passwd"
    assert stored.key == f"{TENANT}/{stored.file_id}/_.._etc_passwd"
    assert await read(any_store, stored.key) == b"1"


async def test_the_same_id_of_two_tenants_is_two_files(any_store: FileStore) -> None:
    file_id, stranger = uuid4(), uuid4()
    mine = await any_store.put(TENANT, "a", b"mine", file_id=file_id)
    theirs = await any_store.put(stranger, "b", b"theirs", file_id=file_id)
    assert await any_store.delete(theirs.key)
    assert await read(any_store, mine.key) == b"mine"
    with pytest.raises(UnsafeFileKeyError):
        own_key(stranger, mine.key)
    assert own_key(TENANT, mine.key) == mine.key


async def test_a_reader_is_copied_from_where_it_stands(any_store: FileStore) -> None:
    source = io.BytesIO(b"x" * 3_000_000)
    source.seek(1_000_000)
    assert (await any_store.put(TENANT, "big", source)).size == 2_000_000


async def test_the_same_id_replaces_the_file_under_whatever_name(any_store: FileStore) -> None:
    file_id = uuid4()
    first = await any_store.put(TENANT, "a.zip", b"1", file_id=file_id)
    second = await any_store.put(TENANT, "b.zip", b"2", file_id=file_id)
    assert not await any_store.exists(first.key)
    assert await read(any_store, second.key) == b"2"


async def test_a_deleted_file_is_gone(any_store: FileStore) -> None:
    stored = await any_store.put(TENANT, "a", b"1")
    assert await any_store.delete(stored.key)
    assert not await any_store.delete(stored.key)
    assert not await any_store.exists(stored.key)
    with pytest.raises(StoredFileMissingError, match="no file"):
        await any_store.open(stored.key)


async def test_a_source_that_breaks_leaves_nothing_behind(any_store: FileStore) -> None:
    with pytest.raises(FileStoreError, match="'a' cannot be stored"):
        await any_store.put(TENANT, "a", Broken(), file_id=UUID(ID))
    assert not await any_store.exists(f"{TENANT}/{ID}/a")


@pytest.mark.parametrize(
    "key",
    [
        "/etc/passwd", "../secret", f"{TENANT}/{ID}/../../x", f"{TENANT}/../{TENANT}/{ID}", f"{TENANT}/{ID}/..",
        f"{TENANT}/{ID}/a/b", f"{TENANT}/{ID}/a\\b", f"{TENANT}/{ID}/a\0b", f"{TENANT}/{ID}/", f"{TENANT}//a", "",
        f"{TENANT}/{ID}/a\n", f"{ID}/a", f"{TENANT}/{ID}/{'n' * 300}", f"./{TENANT}/{ID}/a",
    ],
)  # fmt: skip
async def test_a_key_that_the_store_does_not_give_out_is_refused(any_store: FileStore, key: str) -> None:
    for use in (any_store.open, any_store.delete, any_store.exists):
        with pytest.raises(UnsafeFileKeyError):
            await use(key)


# -- in a folder -------------------------------------------------------------------------------------------------------


async def test_files_in_a_folder_are_their_owners_and_leave_nothing_beside_them(
    store: DirectoryFileStore, tmp_path: Path
) -> None:
    file_id = uuid4()
    await store.put(TENANT, "a.zip", b"1", file_id=file_id)
    stored = await store.put(TENANT, "b.zip", b"2", file_id=file_id)
    with pytest.raises(FileStoreError, match="the disk is gone"):
        await store.put(TENANT, "c", Broken(sound=1000))
    assert files_below(tmp_path) == [store.path_of(stored.key)]
    path = store.path_of(stored.key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o077 for folder in (path.parent, path.parents[2])] == [0, 0]


async def test_what_a_killed_worker_left_half_written_is_removed_after_a_day(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    incoming.mkdir()
    old, young = incoming / "old", incoming / "young"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    await DirectoryFileStore(tmp_path).put(TENANT, "a", b"1")
    assert (old.exists(), young.exists()) == (False, True)


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


# -- on S3 -------------------------------------------------------------------------------------------------------------


async def test_an_upload_that_breaks_off_between_parts_leaves_no_part(bucket: Bucket) -> None:
    with pytest.raises(FileStoreError, match=f"'a' cannot be stored in bucket '{bucket.name}': the disk is gone"):
        await bucket.store().put(TENANT, "a", Broken(sound=20 << 20))
    assert (bucket.keys(), bucket.unfinished()) == ([], [])


async def test_a_large_file_goes_up_and_comes_down_without_being_held_in_memory(bucket: Bucket) -> None:
    store = bucket.store()
    await store.put(TENANT, "warm", b"1")
    tracemalloc.start()
    try:
        stored = await store.put(TENANT, "a", Zeros(64 << 20))
        with await store.open(stored.key) as reader:
            assert sum(map(len, iter(lambda: reader.read(1 << 16), b""))) == 64 << 20
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


async def test_a_bucket_that_is_not_there_is_named(s3_endpoint: str) -> None:
    store = S3FileStore("nowhere-to-be-found", endpoint=s3_endpoint, region="eu-west-1", **KEYS)
    with pytest.raises(FileStoreError, match="'a' cannot be stored in bucket 'nowhere-to-be-found'"):
        await store.put(TENANT, "a", b"1")


async def test_a_server_that_does_not_answer_is_an_error_without_secrets(bucket: Bucket) -> None:
    store = S3FileStore(bucket.name, endpoint="http://127.0.0.1:9", region="eu-west-1", **KEYS)
    with pytest.raises(FileStoreError, match="cannot be looked up in bucket") as caught:
        await store.exists(f"{TENANT}/{ID}/a")
    assert "not-a-secret" not in str(caught.value)


# -- names -------------------------------------------------------------------------------------------------------------


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
