"""What one client is told: by whom it is read, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from jobcore_handlers.credit_notices.due import DueCredit, Terms
from jobcore_handlers.credit_notices.errors import NotificationMissingError
from jobcore_handlers.credit_notices.wording import TEMPLATE, values_of
from jobcore_handlers.errors import ClientNotFoundError
from jobcore_handlers.mailing import Mail
from jobcore_handlers.mailing.address import ApplicationAddress
from jobcore_handlers.mailing.errors import MailTemplateError
from jobcore_handlers.mailing.templates import MailTemplate, find_template
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True)
class _Client:
    name: str
    currency: str
    locale: str


@dataclass(frozen=True, slots=True)
class _Contact:
    contact_id: UUID
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Notice:
    """To whom a client's notices go, and how they are worded."""

    client_id: UUID
    client: _Client
    contacts: Sequence[_Contact]
    template: MailTemplate
    terms: Terms
    address: ApplicationAddress

    def mails(self, job_id: UUID, threshold: int, due: Sequence[DueCredit]) -> list[Mail]:
        """Return one mail for each contact about the credits that are due at `threshold` days.

        Raises:
            MailTemplateError: if the template cannot be filled in.
        """
        return [self._mail(contact, job_id, threshold, due) for contact in self.contacts]

    def _mail(self, contact: _Contact, job_id: UUID, threshold: int, due: Sequence[DueCredit]) -> Mail:
        wording = self.template.fill(
            values_of(
                recipient=contact.name,
                client=self.client.name,
                seller=self.terms.seller_name,
                currency=self.client.currency,
                amounts=[credit.remaining_amount for credit in due],
                day=self.terms.day_of(threshold),
                days_remaining=threshold,
                url=self.address.page("/billing/credits", client=str(self.client_id)),
            )
        )
        return Mail(
            mail_id=uuid5(job_id, f"{self.client_id}/{threshold}/{contact.contact_id}"),
            to=contact.email,
            to_name=contact.name,
            subject=wording.subject,
            text=wording.text,
            html=wording.html,
        )


async def begin_notice(
    connection: Connection, tenant: UUID, client_id: UUID, terms: Terms, address: ApplicationAddress
) -> Notice:
    """Return a client's notice; without contacts there is nobody to send it to.

    Raises:
        ClientNotFoundError: if the client was deleted meanwhile.
        NotificationMissingError: if there is no template.
    """
    statements = Statements("credit_notices", connection)
    client = await statements.first("get_client", _Client, tenant=tenant, client=client_id)
    if client is None:
        raise ClientNotFoundError(client_id)
    contacts = await statements.all("list_contacts", _Contact, tenant=tenant, client=client_id)
    try:
        template = await find_template(connection, tenant, TEMPLATE, client.locale)
    except MailTemplateError as error:
        raise NotificationMissingError(error) from None
    return Notice(client_id, client, contacts, template, terms, address)
