"""How jobs that hang together look: a line each, below those that they waited for or were enqueued by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.cli import output

if TYPE_CHECKING:
    from jobcore.app.queries import Relative


def show_tree(relatives: Sequence[Relative], *, as_json: bool) -> None:
    """Print the jobs; the first of `relatives` is the one that was asked for, and is marked."""
    asked = relatives[0].job.job_id
    if as_json:
        output.show_document({"job_id": asked, "jobs": [_document(relative) for relative in relatives]})
        return
    for line in tree_lines(relatives):
        output.show_line(line)


def tree_lines(relatives: Sequence[Relative]) -> Iterator[str]:
    """Draw the jobs from those down that wait for nobody; one that is below several is drawn once, and named again."""
    by_id = {relative.job.job_id: relative for relative in relatives}
    above = {job_id: [parent for parent in _parents(relative) if parent in by_id] for job_id, relative in by_id.items()}
    below: dict[UUID, list[UUID]] = {job_id: [] for job_id in by_id}
    for job_id in sorted(by_id, key=lambda known: by_id[known].job.created_at):
        for parent in above[job_id]:
            below[parent].append(job_id)
    drawn: set[UUID] = set()
    asked = relatives[0].job.job_id

    def draw(job_id: UUID, lead: str, branch: str, rest: str) -> Iterator[str]:
        job = by_id[job_id].job
        mark = " <- this one" if job_id == asked else ""
        if job_id in drawn:
            yield f"{lead}{branch}{job.type} {job_id} (above)"
            return
        drawn.add(job_id)
        yield f"{lead}{branch}{job.type} {job_id} {job.status.value}{mark}"
        children = below[job_id]
        for child in children:
            last = child == children[-1]
            yield from draw(child, lead + rest, "└─ " if last else "├─ ", "   " if last else "│  ")

    for job_id in by_id:
        if not above[job_id]:
            yield from draw(job_id, "", "", "")


def _parents(relative: Relative) -> list[UUID]:
    enqueued_by = relative.job.parent_job_id
    return [*relative.after, *([] if enqueued_by is None or enqueued_by in relative.after else [enqueued_by])]


def _document(relative: Relative) -> dict[str, object]:
    job = relative.job
    return {
        "job_id": job.job_id,
        "name": job.type,
        "status": job.status.value,
        "parent_job_id": job.parent_job_id,
        "after": list(relative.after),
    }
