"""Where handlers put the files that they make: the port, and a folder that serves it (a bucket of S3 does too)."""

from jobcore_handlers.files.cells import neutral_cell
from jobcore_handlers.files.directory import DirectoryFileStore
from jobcore_handlers.files.keys import own_key
from jobcore_handlers.files.names import safe_name, unique_name
from jobcore_handlers.files.port import FileStore, StoredFile

__all__ = ["DirectoryFileStore", "FileStore", "StoredFile", "neutral_cell", "own_key", "safe_name", "unique_name"]
