"""The handlers of `audit.retention` (G18) and `notifs.cleanup` (G20)."""

from __future__ import annotations

from jobcore import JobContext, job
from jobcore_handlers.retention.payload import AuditRetention, NotificationCleanup
from jobcore_handlers.retention.sweeper import Rule, Sweeper


@job("audit.retention")
async def audit_retention(ctx: JobContext, data: AuditRetention) -> dict[str, int]:
    """Move audit logs to the archive after a year, and delete them from there after seven.

    Raises:
        TenantsFailedError: if those of some tenants could not be moved or deleted.
    """
    archive = Rule("archive_audit_logs", data.archive_after_days)
    purge = Rule("purge_audit_archive", data.purge_after_days)
    taken = await Sweeper(ctx, data.batch).run([archive, purge])
    return {"archived": taken[archive.statement], "purged": taken[purge.statement]}


@job("notifs.cleanup")
async def notifs_cleanup(ctx: JobContext, data: NotificationCleanup) -> dict[str, int]:
    """Delete after ninety days what was told: notifications, mails that were sent or given up, the record of webhooks.

    Raises:
        TenantsFailedError: if those of some tenants could not be deleted.
    """
    rules = {
        "notifications": Rule("delete_notifications", data.keep_days),
        "mails": Rule("delete_mails", data.keep_mails_days),
        "webhookEvents": Rule("delete_webhook_events", data.keep_webhooks_days),
        "webhookNotices": Rule("delete_webhook_notices", data.keep_webhooks_days),
    }
    taken = await Sweeper(ctx, data.batch).run([*rules.values()])
    return {what: taken[rule.statement] for what, rule in rules.items()}
