"""What pgboss's SQL functions do to a job, as `jobs_sql.py` says of the others."""

from __future__ import annotations

from protocol.jobs_sql import job_cancel_request, job_requeue, job_settle
from protocol.rules import Rules
from protocol.state import PGBOSS, TERMINAL, Queue, Store


def pgboss_fetch(store: Store, rules: Rules) -> tuple[Store, int]:
    """Claim the job; the answer is the attempt. What has failed or was cancelled is opened again, as for Node."""
    queue, row = store.queue, store.row
    assert queue is not None
    assert row is not None
    queue = Queue(active=True, count=queue.count + queue.begun, begun=True, fence=store.fences + 1)
    store = store._replace(queue=queue, fences=queue.fence)
    if row.status in ("failed", "cancelled"):
        store, _ = job_requeue(store, rules)
    return store, queue.count + 1


def pgboss_settle(store: Store, rules: Rules, fence: int, attempt: int, outcome: str) -> tuple[Store, str | None]:
    queue = store.queue
    holds = queue is not None and queue.active and queue.fence == fence
    if rules.fence_at_settle and not holds:
        return store, None
    store, follow = job_settle(store, rules, outcome, attempt=attempt, token=None, epoch=None)
    if follow == "queued" and queue is not None:
        begun = outcome not in ("snoozed", "released")
        queue = queue._replace(active=False, begun=begun, fence=0)
    else:
        queue = None
    return store._replace(queue=queue), follow


def pgboss_rescue(store: Store, rules: Rules) -> Store:
    queue = store.queue
    assert queue is not None
    store, _ = pgboss_settle(store, rules, queue.fence, queue.count + 1, "lost")
    return store


def pgboss_cancel(store: Store, rules: Rules) -> tuple[Store, bool]:
    row = store.row
    if row is None or (row.runner != PGBOSS and rules.wish_asks_owner):
        return store, False
    if store.queue is not None and store.queue.active:
        return job_cancel_request(store)
    store, follow = job_settle(store, rules, "cancelled", token=None, epoch=None)
    return (store if follow is None else store._replace(queue=None)), follow is not None


def pgboss_retry(store: Store, rules: Rules) -> tuple[Store, bool]:
    if store.row is not None and store.row.runner != PGBOSS and rules.wish_asks_owner:
        return store, False
    store, done = job_requeue(store, rules)
    if done:
        assert store.row is not None
        store = store._replace(queue=Queue(active=False, count=store.row.attempt, begun=False, fence=0))
    return store, done


def is_over(store: Store) -> bool:
    return store.row is not None and store.row.status in TERMINAL
