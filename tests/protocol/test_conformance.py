"""The model speaks of our code: what it does in its walks, the SQL functions do in a real PostgreSQL, step by step."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from protocol.counterexamples import counterexample, mode_of
from protocol.exploration import explore, steps
from protocol.real import RealJob, clean
from protocol.rules import ALL, Rules
from protocol.state import Budget, World
from protocol.step import Step

WALKS = 150
LONGEST = 60
FAULTS = 8
"""In one walk."""
IN_SQL = (
    "claim_compares_epoch",
    "move_raises_epoch",
    "settle_compares_token",
    "settle_compares_epoch",
    "later_run_takes_over",
    "ended_refuses_claim",
    "ended_refuses_settlement",
    "restart_raises_epoch",
    "leaving_tells_engine",
    "move_empties_queue",
    "fence_at_settle",
    "wish_asks_owner",
    "retry_raises_epoch",
)
"""The rules that SQL functions keep; the others are kept by what calls them."""


@pytest.fixture
def database(database_dsn: str) -> Generator[Connection[DictRow]]:
    with psycopg.connect(database_dsn, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def test_random_walks_of_the_model_are_walks_of_the_code(database: Connection[DictRow]) -> None:
    functions: set[str] = set()
    count = 0
    for seed in range(WALKS):
        mode = "activity" if seed % 3 == 0 else "workflow"
        walk = list(_walk(World(Budget(FAULTS, retry=2), mode=mode), random.Random(seed)))
        _replay(database, walk, f"walk {seed}")
        functions |= {step.call.name for step in walk if step.call is not None}
        count += len(walk)
    print(f"{count:,} steps in {WALKS} walks: {', '.join(sorted(functions))}")
    assert functions == RealJob.calls()


@pytest.mark.parametrize("rule", Rules._fields)
def test_where_a_rule_is_needed_the_code_keeps_it(rule: str, database: Connection[DictRow]) -> None:
    """Go the way on which the model without the rule breaks an invariant, as far as the whole model goes it; go on."""
    world, way = World(Budget(2), mode=mode_of(rule)), []
    for wrong in counterexample(rule).trace:
        step = next((step for step in steps(world) if _stem(step) == _stem(wrong)), None)
        if step is None:
            break
        way.append(step)
        world = step.world
    assert way
    _replay(database, [*way, *_walk(world, random.Random(rule))], f"without {rule}")


@pytest.mark.parametrize("rule", IN_SQL)
def test_the_code_does_not_go_the_way_that_a_rule_forbids(rule: str, database: Connection[DictRow]) -> None:
    with pytest.raises(AssertionError):
        _replay(database, counterexample(rule).trace, f"without {rule}")


def test_a_retry_counts_only_at_the_engine_that_has_the_job(database: Connection[DictRow]) -> None:
    """Of two operators' retries, the job being moved and failing again between them: found by the exploration."""
    budget = Budget(**(dict.fromkeys(Budget._fields, 0) | {"total": 3, "retry": 2, "move": 1}))
    found = explore(budget, ALL._replace(wish_asks_owner=False))
    assert found.breach
    assert "retry" in found.trace[-1].text
    _replay(database, found.trace[:-1], "two retries")
    with pytest.raises(AssertionError):
        _replay(database, found.trace, "two retries")


def _walk(world: World, chance: random.Random) -> Iterator[Step]:
    """Go on at random: each step as likely as another, but faults less."""
    for _ in range(LONGEST):
        possible = list(steps(world))
        own = [step for step in possible if not step.is_fault]
        faults = [step for step in possible if step.is_fault]
        choice = faults if faults and (not own or chance.random() < 0.3) else own
        if not choice:
            return
        step = chance.choice(choice)
        yield step
        world = step.world


def _replay(database: Connection[DictRow], walk: Iterable[Step], name: str) -> None:
    clean(database)
    job = RealJob(database)
    told = [name]
    for step in walk:
        told.append(step.text)
        try:
            if step.call is not None:
                assert job.make(step.call) == step.call.answer
            job.is_like(step.world.store)
        except AssertionError as error:
            error.add_note("\n".join(told))
            raise


def _stem(step: Step) -> str:
    """Return what happens, without the answer that it gets."""
    return step.text.partition(": ")[0]
