"""How a finder looks into the queue: one statement, on a connection of the application's pool."""

from __future__ import annotations

from typing import Any

from jobcore.models import JobRecord
from jobcore.ports.reasons import Question
from jobcore_pgboss.statements import statement

Row = dict[str, Any]


async def look(question: Question, name: str) -> list[Row]:
    """Run `sql/NAME.sql` for the job that is asked about. Raises `StorageUnavailableError`, `StorageError`."""
    return await look_for(question.app.store.database, name, place_of(question.job))


async def look_for(database: Any, name: str, where: dict[str, Any]) -> list[Row]:
    """Run a statement on a `jobcore_postgres.database.Database`. Raises as `look`."""
    from psycopg.rows import dict_row

    async with database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), where)
        return await cursor.fetchall()


def place_of(job: JobRecord) -> dict[str, Any]:
    """Return what every statement about a job may name."""
    return {"tenant": job.tenant, "job_id": job.job_id, "queue": job.queue}


def job_named(question: Question, row: Row) -> str:
    """Return `job ID`, or `another tenant's job` where it must not be named."""
    return f"job {row['job_id']}" if question.may_show(row["tenant"]) else "another tenant's job"


def id_shown(question: Question, row: Row) -> str | None:
    """Return the id of a job for the facts; `None` where it must not be named."""
    return str(row["job_id"]) if question.may_show(row["tenant"]) else None
