"""The rules of the protocol, each of which can be taken out."""

from __future__ import annotations

from typing import NamedTuple


class Rules(NamedTuple):
    """Which are in force."""

    one_transaction: bool = True
    """The job's row and its row in the outbox commit together."""
    claim_compares_epoch: bool = True
    move_raises_epoch: bool = True
    reject_duplicate: bool = True
    """A workflow id is used once, also after its workflow has ended."""
    started_is_accepted: bool = True
    """A workflow that has been started counts as handed over."""
    settle_compares_token: bool = True
    settle_compares_epoch: bool = True
    later_run_takes_over: bool = True
    ended_refuses_claim: bool = True
    ended_refuses_settlement: bool = True
    reconciler: bool = True
    restart_raises_epoch: bool = True
    leaving_tells_engine: bool = True
    """What leaves an engine that has been told of it stays in the outbox as `ending`."""
    move_locks_row: bool = True
    """That a job waits is looked at, and its move written, under the lock of its row."""
    move_empties_queue: bool = True
    """A move out of pgboss deletes the queue row."""
    fence_at_settle: bool = True
    """pgboss's settlements compare the queue row's claim."""
    wish_asks_owner: bool = True
    """A cancellation or a retry counts only at the engine that has the job; it is sent to the other one then."""
    missed_settlement_asks_again: bool = True
    """A run whose settlement changed nothing has its activity tried again, whose claim tells how the job is."""
    relay_lease_ends: bool = True
    """What a relay took and did not report is taken by another."""
    retry_raises_epoch: bool = True
    effects_commit_with_end: bool = True
    """What a handler writes in `complete_in` is of one transaction with its job's end."""
    activity_writes_its_end: bool = True
    """Without a workflow, which would write it, a worker goes on writing the end while the database is away."""


ALL = Rules()
