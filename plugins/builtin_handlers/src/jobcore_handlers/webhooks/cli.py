"""`jobcore webhooks`: subscriptions, keys, and sending again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson, Tenant, read_duration
from jobcore.ids import parse_tenant
from jobcore_handlers.webhooks.redelivery_cli import redeliver

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore_handlers.settings import HandlerSettings
    from jobcore_handlers.webhooks.secrets import SecretVault
    from jobcore_handlers.webhooks.subscriptions import Subscription, Subscriptions

T = TypeVar("T")

app = typer.Typer(
    help="Subscriptions, keys and redelivery of webhooks.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

SubscriptionId = Annotated[UUID, typer.Argument(metavar="SUBSCRIPTION", help="The subscription's id.")]


@app.command("list")
def list_subscriptions(tenant: Tenant, as_json: AsJson = False) -> None:
    """List a tenant's subscriptions and how their endpoints stand."""
    found = _with_subscriptions(tenant, lambda subscriptions: subscriptions.all())
    if as_json:
        output.show_document({"subscriptions": [_document(one) for one in found]})
        return
    rows = [
        (one.subscription_id, one.resource, urlsplit(one.url).hostname, _state(one), one.consecutive_failures)
        for one in found
    ]
    output.show_table(("subscription", "resource", "host", "state", "failures"), rows, empty="There are none.")


@app.command("show")
def show_subscription(subscription: SubscriptionId, tenant: Tenant, as_json: AsJson = False) -> None:
    """Show one subscription. Its secrets are not shown."""

    async def work(subscriptions: Subscriptions) -> Subscription:
        return await subscriptions.get(subscription)

    found = _with_subscriptions(tenant, work)
    if as_json:
        output.show_document(_document(found))
    else:
        output.show_fields([(name.replace("_", " "), value) for name, value in _document(found).items()])


@app.command()
def enable(subscription: SubscriptionId, tenant: Tenant, as_json: AsJson = False) -> None:
    """Send to a subscription again, whatever disabled it. Jobs that wait for it go when their wait is over."""
    _with_subscriptions(tenant, lambda subscriptions: subscriptions.enable(subscription))
    if as_json:
        output.show_document({"subscription_id": subscription, "state": "enabled"})
    else:
        output.show_line(f"{subscription}: enabled")


@app.command("rotate-secret")
def rotate_secret(
    subscription: SubscriptionId,
    tenant: Tenant,
    overlap: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the current secret goes on signing beside the new one.")
    ] = "24 hours",
    as_json: AsJson = False,
) -> None:
    """Give a subscription a new secret, and print it, this once."""
    duration = read_duration("--overlap", overlap) or timedelta()
    vault = _vault()
    added = _with_subscriptions(
        tenant, lambda subscriptions: subscriptions.rotate_secret(subscription, vault, duration)
    )
    if as_json:
        output.show_document({"subscription_id": subscription, "secret": added.secret})
    else:
        output.show_line(added.secret)


@app.command("encrypt-secrets")
def encrypt_secrets(as_json: AsJson = False) -> None:
    """Encrypt the secrets of all endpoints that stand in plain text, or under a key that is not the first any more."""
    vault = _vault()

    async def work(application: JobApp) -> int:
        from jobcore_handlers.tenancy import SystemDatabase
        from jobcore_handlers.webhooks.secrets import encrypt_secrets

        return await encrypt_secrets(SystemDatabase(application), vault)

    count = ask(work)
    if as_json:
        output.show_document({"encrypted": count})
    else:
        output.show_line(f"Secrets encrypted: {count:,}")


app.command()(redeliver)


@app.command()
def keys(
    pem: Annotated[bool, typer.Option("--pem", help="In PEM form, instead of as a JSON Web Key Set.")] = False,
) -> None:
    """Print the public keys for receivers: the one that signs, and those that the settings publish beside it."""
    from jobcore_handlers.webhooks.configured import published_keys

    published = published_keys(_settings())
    if not pem:
        output.show_document(published.as_jwks())
        return
    for key_id, text in published.as_pem().items():
        output.show_line(f"{key_id}\n{text}")


def _settings() -> HandlerSettings:
    from jobcore.settings import Settings
    from jobcore_handlers.plugin import SECTION
    from jobcore_handlers.settings import HandlerSettings

    return Settings.load().section(SECTION, HandlerSettings)


def _vault() -> SecretVault:
    from jobcore_handlers.webhooks.configured import secret_vault

    return secret_vault(_settings())


def _with_subscriptions(tenant: str, work: Callable[[Subscriptions], Awaitable[T]]) -> T:
    whose = parse_tenant(tenant)

    async def run(application: JobApp) -> T:
        from jobcore_handlers.webhooks.redelivery import tenant_database
        from jobcore_handlers.webhooks.subscriptions import Subscriptions

        async with tenant_database(application, whose).transaction() as connection:
            return await work(Subscriptions(connection, whose))

    return ask(run)


def _state(one: Subscription) -> str:
    if one.has_ended:
        return "ended"
    return "enabled" if one.is_enabled else "disabled"


def _document(one: Subscription) -> dict[str, Any]:
    return {
        "subscription_id": one.subscription_id,
        "url": one.url,
        "resource": one.resource,
        "state": _state(one),
        "reason": one.disabled_reason,
        "disabled_at": one.disabled_at,
        "resume_at": one.resume_at,
        "consecutive_failures": one.consecutive_failures,
        "failed_probes": one.failed_probes,
    }
