"""A file store in a bucket of S3, or of a server that speaks S3: the object `<tenant>/<file id>/<name>`.

An object appears when all of it has arrived, so that a reader sees all of it or nothing. A file id's prefix holds one
object; a new one under another name replaces the old. Large files travel in parts of 8 MB: no more is in memory.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from uuid import UUID

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from jobcore.ids import uuid7
from jobcore_handlers.errors import FileStoreError, StoredFileMissingError
from jobcore_handlers.files.keys import checked_key, make_key
from jobcore_handlers.files.measuring import MeasuringReader
from jobcore_handlers.files.names import safe_name
from jobcore_handlers.files.port import FileStore, StoredFile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PART = 8 << 20
_BY_PARTS = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, use_threads=False)
_MISSING = {"NoSuchKey", "404", "NotFound"}


class S3FileStore(FileStore):
    """Files in a bucket, which must exist. Requests happen in threads; no call blocks the event loop.

    Args:
        bucket: its name.
        endpoint: the address of a server that is not AWS, such as `https://s3.example.com`.
        region: where the bucket is; without one, what boto3 finds in its own configuration.
        access_key: with `secret_key`, who asks; without them, whom boto3's chain of credentials finds.
        secret_key: see `access_key`.
    """

    def __init__(
        self,
        bucket: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: SecretStr | None = None,
    ) -> None:
        self._bucket = bucket
        self._endpoint = endpoint
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key

    async def put(
        self, tenant: UUID, name: str, content: bytes | BinaryIO, *, file_id: UUID | None = None
    ) -> StoredFile:
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        return await asyncio.to_thread(self._put, tenant, file_id or uuid7(), safe_name(name), source)

    async def open(self, key: str) -> BinaryIO:
        return await asyncio.to_thread(self._open, checked_key(key))

    async def delete(self, key: str) -> bool:
        return await asyncio.to_thread(self._delete, checked_key(key))

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self._exists, checked_key(key))

    @cached_property
    def _client(self) -> S3Client:
        # A session of its own: boto3's default session is not safe to use from several threads.
        session: Any = boto3.session.Session()
        return session.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=self._region,
            aws_access_key_id=self._access_key,
            aws_secret_access_key=None if self._secret_key is None else self._secret_key.get_secret_value(),
            config=_config(is_aws=self._endpoint is None),
        )

    def _put(self, tenant: UUID, file_id: UUID, name: str, source: BinaryIO) -> StoredFile:
        key = make_key(tenant, file_id, name)
        measured = MeasuringReader(source)
        with self._failing_as(f"File {name!r} cannot be stored in bucket {self._bucket!r}"):
            self._client.upload_fileobj(cast("Any", measured), self._bucket, key, Config=_BY_PARTS)
            self._remove_others(key)
        return StoredFile(file_id=file_id, key=key, name=name, size=measured.size, sha256=measured.sha256)

    def _remove_others(self, key: str) -> None:
        folder = f"{key.rpartition('/')[0]}/"
        for entry in self._client.list_objects_v2(Bucket=self._bucket, Prefix=folder).get("Contents", []):
            other = entry.get("Key")
            if other is not None and other != key:
                self._client.delete_object(Bucket=self._bucket, Key=other)

    def _open(self, key: str) -> BinaryIO:
        with self._failing_as(f"File {key!r} cannot be read from bucket {self._bucket!r}"):
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            except ClientError as error:
                if _is_missing(error):
                    raise StoredFileMissingError(key) from None
                raise
        return cast("BinaryIO", io.BufferedReader(_Download(key, body), 1 << 20))

    def _delete(self, key: str) -> bool:
        if not self._exists(key):
            return False
        with self._failing_as(f"File {key!r} cannot be removed from bucket {self._bucket!r}"):
            self._client.delete_object(Bucket=self._bucket, Key=key)
        return True

    def _exists(self, key: str) -> bool:
        with self._failing_as(f"File {key!r} cannot be looked up in bucket {self._bucket!r}"):
            try:
                self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _is_missing(error):
                    return False
                raise
        return True

    @contextmanager
    def _failing_as(self, what: str) -> Generator[None]:
        try:
            yield
        except StoredFileMissingError:
            raise
        except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
            raise FileStoreError(f"{what}: {error}.") from error


class _Download(io.RawIOBase):
    """The body of an answer, as a reader that only goes forward."""

    def __init__(self, key: str, body: Any) -> None:
        self._key = key
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            piece = self._body.read(len(buffer))
        except (BotoCoreError, OSError) as error:
            raise FileStoreError(f"File {self._key!r} broke off while it was read: {error}.") from error
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _config(*, is_aws: bool) -> Config:
    base = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=60)
    if is_aws:
        return base
    # Other servers rarely have a host name for each bucket, and not all of them know the checksums of AWS.
    other = Config(
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return base.merge(other)


def _is_missing(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in _MISSING
