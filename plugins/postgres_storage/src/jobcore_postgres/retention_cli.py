"""`jobcore retention`: how long ended jobs are kept, and deleting those that need not be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.errors import UsageError
from jobcore.cli.options import AnyTenant, AsJson, read_duration, tenant_or_all
from jobcore.cli.progress import progress_bar
from jobcore.ids import parse_tenant
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore_postgres.pruning import Walk
    from jobcore_postgres.retention import Pruned, Retention, Rule

FOREVER = "forever"

app = typer.Typer(
    help="How long ended jobs are kept: the tenants' own rules, and deleting by hand.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

OneTenant = Annotated[str, typer.Option("--tenant", metavar="UUID|system", help="Whose: a tenant's id, or 'system'.")]
State = Annotated[
    JobState | None, typer.Option("--state", metavar="STATE", help="completed, failed or cancelled; without it all.")
]
States = Annotated[
    list[JobState] | None,
    typer.Option("--state", metavar="STATE", help="completed, failed or cancelled; repeat for more, without it all."),
]


@app.command("list")
def list_rules(tenant: AnyTenant = "all", as_json: AsJson = False) -> None:
    """List the rules that tenants have of their own; where there is none, the settings stand."""

    async def work(application: JobApp) -> Sequence[Rule]:
        return await _retention(application).overrides(_tenant(tenant))

    rules = ask(work)
    if as_json:
        output.show_document({"rules": [_rule_document(rule) for rule in rules]})
    else:
        rows = [(rule.tenant, rule.state.value, FOREVER if rule.keep is None else rule.keep) for rule in rules]
        output.show_table(("tenant", "state", "keep"), rows, empty="No tenant has a rule of its own.")


@app.command("set")
def set_rule(
    keep: Annotated[
        str, typer.Argument(metavar="AGE|forever", help="How long after their end: '30 days', or forever.")
    ],
    tenant: OneTenant,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Give a tenant a rule of its own, instead of the settings'. Takes effect within a minute."""
    from jobcore_postgres.retention import Rule

    age = None if keep == FOREVER else read_duration("AGE", keep)
    whose = parse_tenant(tenant)
    rules = [Rule(whose, one, age) for one in _ends([] if state is None else [state])]

    async def work(application: JobApp) -> None:
        for rule in rules:
            await _retention(application).set_rule(rule)

    ask(work)
    if as_json:
        output.show_document({"rules": [_rule_document(rule) for rule in rules]})
    else:
        shown = "ever" if age is None else output.shown_duration(age)
        output.show_line(f"{whose}: {', '.join(rule.state.value for rule in rules)} jobs are kept for {shown}")


@app.command()
def unset(tenant: OneTenant, state: State = None, as_json: AsJson = False) -> None:
    """Let the settings stand for a tenant again."""
    whose = parse_tenant(tenant)

    async def work(application: JobApp) -> None:
        await _retention(application).unset(whose, state)

    ask(work)
    if as_json:
        output.show_document({"tenant": whose, "state": state})
    else:
        output.show_line(f"{whose}: as the settings say")


@app.command()
def prune(
    *,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE", help="Jobs that ended so long ago, whatever the rules say; without it, by the rules."
        ),
    ] = None,
    state: States = None,
    tenant: AnyTenant = "all",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them, and delete nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete ended jobs with their details, in small batches.

    The workers do so by the rules all the time; this is for once. Jobs that have not ended, or have a child that has
    not, are never deleted. It may be interrupted, and run again.
    """
    age = read_duration("--older-than", older_than)

    async def work(application: JobApp) -> list[Pruned]:
        retention = _retention(application)
        walks = await retention.plan(older_than=age, states=tuple(state or ()), tenant=_tenant(tenant))
        counted = [await retention.count(walk) for walk in walks]
        return counted if dry_run else await _delete(retention, walks, sum(one.jobs for one in counted))

    done = [one for one in ask(work) if one.jobs]
    if as_json:
        output.show_document({"dry_run": dry_run, "pruned": [_pruned_document(one) for one in done]})
        return
    rows = [(one.tenant, one.state.value, one.jobs, "" if one.details is None else one.details) for one in done]
    output.show_table(("tenant", "state", "jobs", "details"), rows, empty="There is nothing to delete.")
    if dry_run and done:
        output.note("Nothing was deleted.")


async def _delete(retention: Retention, walks: Sequence[Walk], total: int) -> list[Pruned]:
    done: list[Pruned] = []
    with progress_bar("Deleting") as show:
        for walk in walks:
            before = sum(one.jobs for one in done)

            def tell(gone: int, before: int = before) -> None:
                show(100 * (before + gone) / max(1, total), f"{before + gone} of {total} jobs")

            done.append(await retention.prune(walk, tell))
    return done


def _retention(application: JobApp) -> Retention:
    from jobcore_postgres.store import PostgresStore

    if not isinstance(application.store, PostgresStore):
        raise UsageError(f"The storage {application.store.storage_type!r} has no retention: it is 'postgres' that has.")
    return application.store.retention


def _tenant(text: str) -> UUID | None:
    name = tenant_or_all(text)
    return None if name is None else parse_tenant(name)


def _ends(states: Sequence[JobState]) -> Sequence[JobState]:
    return states or (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else age.total_seconds()


def _rule_document(rule: Rule) -> dict[str, Any]:
    return {"tenant": rule.tenant, "state": rule.state, "keep": _seconds(rule.keep)}


def _pruned_document(one: Pruned) -> dict[str, Any]:
    return {"tenant": one.tenant, "state": one.state, "jobs": one.jobs, "details": one.details}
