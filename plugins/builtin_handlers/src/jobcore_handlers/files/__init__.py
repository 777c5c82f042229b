"""Where handlers put the files that they make: the port, and a folder on disk that serves it."""

from jobcore_handlers.files.directory import DirectoryFileStore
from jobcore_handlers.files.names import safe_name, unique_name
from jobcore_handlers.files.port import FileStore, StoredFile

__all__ = ["DirectoryFileStore", "FileStore", "StoredFile", "safe_name", "unique_name"]
