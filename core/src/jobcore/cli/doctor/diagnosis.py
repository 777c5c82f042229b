"""What `jobcore doctor` found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How one check came out."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something should still be done."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It needs something that failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check."""

    name: str
    verdict: Verdict
    message: str
    remedy: str = ""


def well(name: str, message: str, advice: str = "") -> Finding:
    """Return a finding without a fault; with advice it is a warning."""
    return Finding(name, Verdict.WARNING if advice else Verdict.OK, message, advice)


def fault(name: str, message: str, remedy: str = "") -> Finding:
    """Return a finding that fails the examination."""
    return Finding(name, Verdict.FAILED, message, remedy)


def skipped(name: str, why: str) -> Finding:
    """Return the finding of a check that could not be made."""
    return Finding(name, Verdict.SKIPPED, why)


@dataclass(slots=True)
class Diagnosis:
    """All findings, in the order in which they were made."""

    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, *findings: Finding) -> None:
        self.findings += findings

    @property
    def failed(self) -> bool:
        return self._count(Verdict.FAILED) > 0

    @property
    def warned(self) -> bool:
        return self._count(Verdict.WARNING) > 0

    def summary(self) -> str:
        """Return the result in one line."""
        counts = [f"{self._count(verdict)} {verdict}" for verdict in Verdict if self._count(verdict)]
        return f"{len(self.findings)} checks: {', '.join(counts)}."

    def as_document(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "healthy": not self.failed,
            "checks": [
                {
                    "name": finding.name,
                    "verdict": finding.verdict,
                    "message": finding.message,
                    "remedy": finding.remedy or None,
                }
                for finding in self.findings
            ],
        }

    def _count(self, verdict: Verdict) -> int:
        return sum(finding.verdict is verdict for finding in self.findings)
