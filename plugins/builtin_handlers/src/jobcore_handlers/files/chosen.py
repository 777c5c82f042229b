"""The file store that the settings ask for."""

from __future__ import annotations

from importlib.util import find_spec

from jobcore.errors import ConfigurationError
from jobcore_handlers.files.directory import DirectoryFileStore
from jobcore_handlers.files.port import FileStore
from jobcore_handlers.settings import HandlerSettings


def file_store(settings: HandlerSettings) -> FileStore:
    """Return a store in the bucket that is configured, or else in the folder. Imports boto3 for the former.

    Raises:
        ConfigurationError: if a bucket is configured and boto3 is not installed.
    """
    if settings.s3_bucket is None:
        return DirectoryFileStore(settings.files)
    if find_spec("boto3") is None:
        raise ConfigurationError(
            "JOBCORE_BUILTIN__S3_BUCKET names a bucket, and boto3 is not installed: install the distribution "
            "jobcore-builtin-handlers with its extra s3 (docs/how-to/store-files-on-s3.md), or unset the variable."
        )
    from jobcore_handlers.files.s3 import S3FileStore

    return S3FileStore(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )
