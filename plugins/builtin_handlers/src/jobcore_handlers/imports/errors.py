"""What can be wrong with an import. No text quotes a cell: they hold what is nobody else's business."""

from __future__ import annotations

from uuid import UUID

from jobcore.errors import JobcoreError, NonRetryableError


class ImportFailedError(JobcoreError):
    """The root of what can go wrong with an import as a whole."""


class ImportRefusedError(ImportFailedError, NonRetryableError):
    """The import cannot be done as things stand; trying again without a change would end the same way."""


class FileRefusedError(ImportRefusedError):
    """The file is none that is read: too large, damaged, of an unknown kind, or hostile. Nothing of it was imported."""


class FileChangedError(FileRefusedError):
    """The file is not the one of which rows were imported already."""

    def __init__(self, before: int | None, now: int) -> None:
        super().__init__(
            f"The file had {before} rows when the import began, and has {now} now. Rows that were imported stay. Make "
            "a new import of the file; what is imported already is found as duplicates."
        )


class EncodingRefusedError(FileRefusedError):
    """The file's text is in no encoding that is read."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The file's encoding is not known: {found}. Tried: UTF-8, with or without a byte-order mark, and UTF-16 "
            "by its byte-order mark. Save the file as UTF-8 (in Excel: 'CSV UTF-8'), then import it again."
        )


class ImportJobNotFoundError(ImportRefusedError):
    """The payload names no import of the tenant."""

    def __init__(self, import_job: UUID) -> None:
        super().__init__(f"Import job {import_job} not found; it may have been deleted.")


class ImportCancelledError(ImportRefusedError):
    """Somebody cancelled the import; rows that were imported before stay."""

    def __init__(self, import_job: UUID) -> None:
        super().__init__(f"Import job {import_job} was cancelled. Make a new one to import its file after all.")


class ImportTakenOverError(ImportFailedError):
    """Another run goes on with the import."""

    def __init__(self, import_job: UUID) -> None:
        super().__init__(f"Import job {import_job} is now worked by another run, which goes on where this one stopped.")


class TargetClientError(ImportRefusedError):
    """There is no client whose assets these could be."""

    def __init__(self) -> None:
        super().__init__("Unable to resolve client to attach imported assets to")
        self.add_note(
            "Name a client of the tenant in the import's context (associatedClientId), on its source or on the tenant "
            "(default_client_id); a tenant with one active client needs none."
        )
