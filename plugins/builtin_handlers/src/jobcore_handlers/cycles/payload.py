"""What `createClientContractLineCycles` is told."""

from __future__ import annotations

from jobcore import JobData


class CreateCycles(JobData):
    """Whose clients are looked at; `system` stands for every tenant."""
