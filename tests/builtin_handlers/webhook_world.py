"""One tenant with subscriptions, and the attempts of `sendWebhook` for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric import rsa
from psycopg.rows import dict_row

from builtin_handlers.context import AttemptContext
from builtin_handlers.endpoint import local_deliverer
from jobcore_handlers.webhooks import SendWebhook, WebhookSigner
from jobcore_handlers.webhooks.delivery import Deliverer
from jobcore_handlers.webhooks.secrets import SecretVault

KEY = rsa.generate_private_key(public_exponent=65537, key_size=3072)


class Hooks:
    """Writes and reads as superuser, past row-level security."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.tenant = self.add_tenant()

    def add_tenant(self) -> UUID:
        return self.rows("insert into billing.tenants (tenant, name) values (%s, 'Acme') returning tenant", uuid4())[0][
            "tenant"
        ]

    def subscribe(self, url: str, resource: str = "invoice", tenant: UUID | None = None) -> UUID:
        added = self.rows(
            "insert into billing.webhook_subscriptions (tenant, url, resource) values (%s, %s, %s) "
            "returning subscription_id",
            tenant or self.tenant, url, resource,
        )  # fmt: skip
        return added[0]["subscription_id"]

    def context(
        self,
        job_id: UUID | None = None,
        attempt: int = 1,
        deadline: timedelta = timedelta(seconds=5),
        kind: type[AttemptContext] = AttemptContext,
        vault: SecretVault | None = None,
    ) -> AttemptContext:
        """One attempt of a job, by default the first of a new one."""
        made = kind(self.dsn, self.tenant, job_id=job_id)
        made.attempt = attempt
        made.services.add(WebhookSigner(KEY, "key-1"), WebhookSigner)
        made.services.add(vault or SecretVault(), SecretVault)
        made.services.add(local_deliverer(deadline=deadline), Deliverer)
        return made

    def change(self, subscription: UUID, **changes: Any) -> SendWebhook:
        values = {"action": "update", "resource_id": "inv-1", "data": {"total": 1200}, **changes}
        return SendWebhook(tenant_id=self.tenant, subscription_id=subscription, **values)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def events(self) -> list[dict[str, Any]]:
        return self.rows("select * from billing.webhook_events order by sent_at")

    def subscription(self) -> dict[str, Any]:
        (row,) = self.rows("select *, resume_at - now() as pause from billing.webhook_subscriptions")
        return row

    def notices(self) -> list[tuple[str, str | None]]:
        rows = self.rows("select kind, reason from billing.webhook_notices order by created_at")
        return [(row["kind"], row["reason"]) for row in rows]

    def secrets(self, subscription: UUID) -> list[str]:
        rows = self.rows(
            "select secret from billing.webhook_secrets where subscription_id = %s order by created_at desc",
            subscription,
        )
        return [row["secret"] for row in rows]

    def let_pass(self, time: timedelta) -> None:
        """Shift what the breaker remembers into the past."""
        self.rows(
            "update billing.webhook_subscriptions set resume_at = resume_at - %s, disabled_at = disabled_at - %s",
            time,
            time,
        )
