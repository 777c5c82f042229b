"""What stands in an invoice's mail."""

from __future__ import annotations

from html import escape

from jobcore_handlers.billing.money import format_money
from jobcore_handlers.invoice_mail.links import LinkPair
from jobcore_handlers.mailing.templates import Block, MailTemplate, Values
from jobcore_handlers.printing.sheet import InvoiceSheet
from jobcore_handlers.printing.words import format_day

TEMPLATE = "invoice-email"

BUILT_IN = MailTemplate(
    name=TEMPLATE,
    locale="en",
    subject="Invoice $invoice_number from $seller_name",
    text_body="""\
Dear $recipient_name,

please find attached invoice $invoice_number of $invoice_date over $amount_due, due on $due_date.

$links
Kind regards
$seller_name
""",
    html_body="""\
<p>Dear $recipient_name,</p>
<p>please find attached invoice <b>$invoice_number</b> of $invoice_date over <b>$amount_due</b>, due on $due_date.</p>
$links
<p>Kind regards<br>$seller_name</p>
""",
)


def values_of(sheet: InvoiceSheet, recipient: str, links: LinkPair) -> Values:
    """Return what templates of invoices can name."""
    return {
        "recipient_name": recipient,
        "client_name": sheet.client.name,
        "seller_name": sheet.seller.name,
        "invoice_number": sheet.number,
        "invoice_date": format_day(sheet.invoice_date),
        "due_date": format_day(sheet.due_date),
        "amount_due": format_money(sheet.amount_due, sheet.currency),
        "payment_link": links.payment,
        "portal_link": links.portal,
        "links": _as_block(links),
    }


def _as_block(links: LinkPair) -> Block:
    named = [("Pay online", links.payment), ("See it in your portal", links.portal)]
    given = [(name, link) for name, link in named if link]
    return Block(
        "".join(f"{name}: {link}\n" for name, link in given),
        "".join(f'<p><a href="{escape(link)}">{name}</a></p>\n' for name, link in given),
    )
