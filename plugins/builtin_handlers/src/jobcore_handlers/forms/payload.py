"""What `cleanup-temporary-workflow-forms` is told."""

from __future__ import annotations

from jobcore import JobData


class CleanupTemporaryWorkflowForms(JobData):
    """Whose forms: one tenant's, or everybody's for the tenant `system`."""
