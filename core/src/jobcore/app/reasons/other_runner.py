"""The job belongs to another runner than this application's."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import listed


class OtherRunner:
    """Compares the job's runner with the configured one, and with those that are installed here."""

    async def explain(self, question: Question) -> Reason | None:
        app, job = question.app, question.job
        if job.status.is_terminal or job.runner_type == app.default_runner:
            return None
        installed = sorted(app.plugins.runners)
        facts = {"runner_type": job.runner_type, "default_runner": app.default_runner, "installed": installed}
        if job.runner_type in installed:
            return Reason(
                severity=Severity.INFO,
                summary=f"It belongs to the runner {job.runner_type!r}, and jobs go to {app.default_runner!r} here by "
                "default: only workers of its own runner take it.",
                facts=facts,
            )
        return Reason(
            severity=Severity.UNKNOWN,
            summary=f"It belongs to the runner {job.runner_type!r}, which is not installed here, so its engine cannot "
            f"be asked. Installed: {listed(installed)}.",
            remedy=f"Ask where {job.runner_type!r} is installed; see docs/how-to/install-a-plugin.md.",
            facts=facts,
        )
