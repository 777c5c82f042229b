"""Where the application is, for links in mails."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class ApplicationAddress:
    """The address that people open the application at; `None` if it has none."""

    url: str | None

    def page(self, path: str, **query: str) -> str | None:
        """Return the address of one of its pages, `path` beginning with a slash."""
        if self.url is None:
            return None
        return f"{self.url.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
