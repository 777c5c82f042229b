"""Templates of mails: text with `$names` in it, and nothing that could run.

Tenants write them, so they can do one thing only: say where a value goes. In HTML every value is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from string import Template
from uuid import UUID

from jobcore.ids import SYSTEM_TENANT
from jobcore_handlers.mailing.errors import MailTemplateError
from jobcore_handlers.statements import Connection, Statements

MAX_PLACEHOLDERS = 200
MAX_VALUE_CHARS = 2_000
MAX_BLOCK_CHARS = 32_000
DEFAULT_LOCALE = "en"


@dataclass(frozen=True, slots=True)
class Block:
    """A value of several lines, written for both kinds of body; its `html` is inserted as it is."""

    text: str
    html: str


Values = Mapping[str, str | Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplate:
    """How one kind of mail is worded in one language."""

    name: str
    locale: str
    subject: str
    text_body: str
    html_body: str | None = None

    def fill(self, values: Values) -> Wording:
        """Return the template with `values` in their places. Takes time proportional to what it returns.

        Raises:
            MailTemplateError: if it names something else, has a stray `$`, or too many placeholders.
        """
        plain = {name: _plain(value) for name, value in values.items()}
        marked = {name: _marked(value) for name, value in values.items()}
        return Wording(
            subject=self._filled("subject", self.subject, plain),
            text=self._filled("text", self.text_body, plain),
            html=None if self.html_body is None else self._filled("HTML", self.html_body, marked),
        )

    def _filled(self, part: str, text: str, values: Mapping[str, str]) -> str:
        where = f"The {part} of the mail template {self.name!r} ({self.locale})"
        if text.count("$") > MAX_PLACEHOLDERS:
            raise MailTemplateError(f"{where} has more than {MAX_PLACEHOLDERS} placeholders.")
        try:
            return Template(text).substitute(values)
        except KeyError as error:
            known = ", ".join(f"${name}" for name in sorted(values))
            raise MailTemplateError(f"{where} asks for ${error.args[0]}; there is {known}.") from None
        except ValueError:
            raise MailTemplateError(f"{where} has a $ that begins no name; write $$ for a dollar sign.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What one mail says."""

    subject: str
    text: str
    html: str | None


async def find_template(
    connection: Connection, tenant: UUID, name: str, locale: str, *, built_in: MailTemplate | None = None
) -> MailTemplate:
    """Return the wording of a kind of mail.

    In this order: the tenant's in `locale`, in its language without the region, in English; the system's, likewise;
    the one built in.

    Raises:
        MailTemplateError: if there is none.
    """
    locales = list(dict.fromkeys([locale, locale.partition("-")[0], DEFAULT_LOCALE]))
    found = await Statements("mailing", connection).first(
        "find_template", MailTemplate, tenant=tenant, system=SYSTEM_TENANT, name=name, locales=locales
    )
    found = found or built_in
    if found is None:
        raise MailTemplateError(
            f"There is no mail template {name!r} in {' or '.join(locales)}, neither the tenant's nor the system's: "
            "add it to billing.mail_templates, then retry the job."
        )
    return found


def _plain(value: str | Block) -> str:
    return value.text[:MAX_BLOCK_CHARS] if isinstance(value, Block) else value[:MAX_VALUE_CHARS]


def _marked(value: str | Block) -> str:
    if isinstance(value, str):
        return escape(value[:MAX_VALUE_CHARS])
    if len(value.html) > MAX_BLOCK_CHARS:  # cut anywhere, it might end within a tag
        raise MailTemplateError(
            f"A part of the mail has {len(value.html)} characters; {MAX_BLOCK_CHARS} are the limit."
        )
    return value.html
