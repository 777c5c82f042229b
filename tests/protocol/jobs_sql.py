"""What the SQL functions about `jobs` and the outbox do, each as a function from a store to a store and an answer.

They have the functions' own names, so that one is read beside the other; `test_conformance.py` compares the two.
"""

from __future__ import annotations

from protocol.rules import Rules
from protocol.state import ATTEMPTS, PGBOSS, TEMPORAL, TERMINAL, Entry, Queue, Row, Store, Token


def job_follow(row: Row, outcome: str, attempt: int) -> str:
    if outcome in TERMINAL:
        return outcome
    if row.cancel:
        return "cancelled"
    return "failed" if outcome == "lost" and attempt >= row.most and row.rescues >= 5 else "queued"


def job_settle(
    store: Store, rules: Rules, outcome: str, *, attempt: int | None = None, token: Token | None, epoch: int | None
) -> tuple[Store, str | None]:
    """The answer is `follow`, or `None` if nothing was applied."""
    row = store.row
    if row is None or (row.status in TERMINAL and rules.ended_refuses_settlement):
        return store, None
    if epoch is not None and row.epoch != epoch and rules.settle_compares_epoch:
        return store, None
    if attempt is not None and rules.settle_compares_token:
        holds = row.attempt < attempt or (row.attempt == attempt and (token is None or row.token == token))
        if not holds:
            return store, None
    used = row.attempt if attempt is None else attempt
    follow = job_follow(row, outcome, used)
    lost = outcome == "lost"
    row = row._replace(
        status=follow,
        attempt=max(used - 1, 0) if outcome in ("snoozed", "released") else used,
        most=row.most + (lost and row.rescues < 5),
        rescues=row.rescues + lost,
        token=None,
    )
    ended = follow in TERMINAL
    store = store._replace(row=row, ends=store.ends + ended, commits=store.commits + (follow == "completed"))
    return store, follow


def job_claim(store: Store, token: Token, attempt: int, epoch: int | None) -> tuple[Store, bool]:
    row = store.row
    assert row is not None
    granted = (
        row.status not in TERMINAL
        and epoch in (None, row.epoch)
        and (row.attempt < attempt or (row.attempt == attempt and row.token == token))
    )
    if not granted:
        return store, False
    return store._replace(row=row._replace(status="processing", attempt=attempt, token=token)), True


def job_cancel_request(store: Store) -> tuple[Store, bool]:
    row = store.row
    if row is None or row.status in TERMINAL:
        return store, False
    return store._replace(row=row._replace(cancel=True)), True


def job_requeue(store: Store, rules: Rules) -> tuple[Store, bool]:
    row = store.row
    if row is None or row.status not in ("failed", "cancelled"):
        return store, False
    row = row._replace(
        status="queued",
        epoch=row.epoch + rules.retry_raises_epoch,
        most=row.attempt + ATTEMPTS,
        rescues=0,
        token=None,
        cancel=False,
    )
    return store._replace(row=row, ends=0), True


def outbox_enqueue(store: Store, rules: Rules) -> Store:
    store = store._replace(row=Row("queued", 0, TEMPORAL))
    return outbox_admit(store) if rules.one_transaction else store


def outbox_admit(store: Store) -> Store:
    row = store.row
    assert row is not None
    if any(entry.epoch == row.epoch for entry in store.outbox):
        return store
    return store._replace(outbox=tuple(sorted([*store.outbox, Entry(row.epoch, runner=row.runner)])))


def entry_of(store: Store, epoch: int) -> Entry | None:
    return next((entry for entry in store.outbox if entry.epoch == epoch), None)


def change(store: Store, entry: Entry | None, **fields: object) -> Store:
    """Change an entry, or take it out if it has no fields."""
    if entry is None:
        return store
    changed = (one._replace(**fields) if one is entry else one for one in store.outbox)
    return store._replace(outbox=tuple(changed))


def outbox_take(store: Store, epoch: int) -> Store:
    return change(store, entry_of(store, epoch), tried=True, taken=True)


def outbox_handed(store: Store, epoch: int) -> Store:
    entry = entry_of(store, epoch)
    return change(store, entry, state="handed", taken=False) if entry and entry.state == "due" else store


def outbox_postpone(store: Store, epoch: int) -> Store:
    return change(store, entry_of(store, epoch), taken=False)


def outbox_forget(store: Store, epoch: int) -> Store:
    return store._replace(outbox=tuple(entry for entry in store.outbox if entry.epoch != epoch))


def outbox_leave(store: Store, rules: Rules) -> Store:
    def left(entry: Entry) -> Entry:
        return entry if entry.state == "ending" else entry._replace(state="ending", tried=False, taken=False)

    kept = [entry for entry in store.outbox if entry.state != "due" or entry.tried]
    if not rules.leaving_tells_engine:
        kept = []
    return store._replace(outbox=tuple(left(entry) for entry in kept))


def outbox_settle(
    store: Store, rules: Rules, epoch: int, outcome: str, attempt: int | None = None, token: Token | None = None
) -> tuple[Store, str | None]:
    store, follow = job_settle(store, rules, outcome, attempt=attempt, token=token, epoch=epoch)
    return (outbox_forget(store, epoch) if follow in TERMINAL else store), follow


def outbox_claim(store: Store, rules: Rules, token: Token) -> tuple[Store, str]:
    """The answer is the verdict; `ended` has the status behind it."""
    row = store.row
    assert row is not None
    its_epoch = row.epoch if not rules.claim_compares_epoch else token.epoch
    held = row.token
    is_earlier = held is not None and (held[:3] != token[:3] or held.number < token.number)
    if row.status == "processing" and row.epoch == its_epoch and is_earlier and rules.later_run_takes_over:
        store, _ = outbox_settle(store, rules, its_epoch, "lost", row.attempt)
        row = store.row
        assert row is not None
    may = row.status == "queued" or (row.status in TERMINAL and not rules.ended_refuses_claim)
    if row.epoch == its_epoch and may:
        if row.cancel and row.status == "queued":
            store, _ = outbox_cancel(store, rules)
        else:
            store = store._replace(row=row._replace(status="queued"))
            store, _ = job_claim(store, token, row.attempt + 1, its_epoch)
        row = store.row
        assert row is not None
    if row.epoch != its_epoch:
        return store, "moved"
    if row.status in TERMINAL:
        return store, f"ended {row.status}"
    return store, "claimed" if row.token == token else "moved"


def outbox_cancel(store: Store, rules: Rules, epoch: int | None = None) -> tuple[Store, bool]:
    row = store.row
    if row is None or (epoch is not None and row.epoch != epoch):
        return store, False
    if row.runner != TEMPORAL and rules.wish_asks_owner:
        return store, False
    if row.status != "queued":
        return job_cancel_request(store)
    store, follow = job_settle(store, rules, "cancelled", token=None, epoch=None)
    return outbox_leave(store, rules), follow is not None


def outbox_restart(store: Store, rules: Rules, epoch: int) -> tuple[Store, str]:
    row = store.row
    if row is None or row.epoch != epoch or row.status in TERMINAL:
        return store, "gone"
    if row.status != "queued" or row.attempt > 0:
        store, follow = outbox_settle(store, rules, epoch, "failed")
        return store, "gone" if follow is None else "lost"
    store = outbox_forget(store, epoch)._replace(row=row._replace(epoch=epoch + rules.restart_raises_epoch))
    return outbox_admit(store), "again"


def outbox_retry(store: Store, rules: Rules) -> tuple[Store, bool]:
    if store.row is not None and store.row.runner != TEMPORAL and rules.wish_asks_owner:
        return store, False
    store, done = job_requeue(store, rules)
    return (outbox_admit(store) if done else store), done


def job_waits(store: Store) -> bool:
    row = store.row
    assert row is not None
    if row.runner == PGBOSS:
        return store.queue is None or not store.queue.active
    return row.status == "queued"


def job_move(store: Store, rules: Rules, target: str) -> tuple[Store, bool]:
    row = store.row
    if row is None or row.runner == target or row.status != "queued" or not job_waits(store):
        return store, False
    return job_moved(store, rules, target), True


def job_moved(store: Store, rules: Rules, target: str) -> Store:
    """What `job_move` writes of a job that waits."""
    row = store.row
    assert row is not None
    store = store._replace(row=row._replace(runner=target, epoch=row.epoch + rules.move_raises_epoch))
    if target == PGBOSS:
        store = outbox_leave(store, rules)
        if row.status == "queued" and store.queue is None:
            store = store._replace(queue=Queue(active=False, count=row.attempt, begun=False, fence=0))
        return store
    store = store._replace(queue=None) if rules.move_empties_queue else store
    return outbox_admit(store) if row.status == "queued" else store
