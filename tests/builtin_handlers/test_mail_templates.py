"""Templates of mails: which one is taken, and that what tenants write in them can do nothing but say words."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore_handlers.mailing.errors import MailTemplateError
from jobcore_handlers.mailing.templates import MAX_VALUE_CHARS, Block, MailTemplate, find_template

BUILT_IN = MailTemplate(name="greeting", locale="en", subject="built in", text_body="")


def template(text: str, **changes: str) -> MailTemplate:
    values = {"name": "greeting", "locale": "en", "subject": "Hello", "text_body": text, "html_body": text, **changes}
    return MailTemplate(**values)


async def found(world: World, locale: str, tenant: UUID | None = None, built_in: MailTemplate | None = BUILT_IN) -> str:
    owner = tenant or world.tenant
    async with AttemptContext(world.dsn, owner).db.transaction() as connection:
        return (await find_template(connection, owner, "greeting", locale, built_in=built_in)).subject


async def test_the_tenants_words_come_before_the_systems_and_the_language_before_english(world: World) -> None:
    def add(tenant: UUID, locale: str) -> None:
        whose = "system" if tenant == SYSTEM_TENANT else "tenant"
        world.add(
            "mail_templates", tenant=tenant, name="greeting", locale=locale, subject=f"{whose} {locale}", text_body=""
        )

    assert await found(world, "de-AT") == "built in"
    for tenant, locale, subject in [
        (SYSTEM_TENANT, "en", "system en"),
        (SYSTEM_TENANT, "de", "system de"),
        (SYSTEM_TENANT, "de-AT", "system de-AT"),
        (world.tenant, "fr", "system de-AT"),
        (world.tenant, "en", "tenant en"),
        (world.tenant, "de", "tenant de"),
        (world.tenant, "de-AT", "tenant de-AT"),
    ]:
        add(tenant, locale)
        assert await found(world, "de-AT") == subject
    stranger = world.add_tenant()
    assert await found(world, "fr", stranger) == "system en"


async def test_a_kind_of_mail_without_any_words_is_an_error(world: World) -> None:
    with pytest.raises(MailTemplateError, match="no mail template 'greeting' in de or en") as caught:
        await found(world, "de", built_in=None)
    assert not caught.value.is_passing


async def test_a_tenant_cannot_change_the_systems_words(world: World) -> None:
    world.add("mail_templates", tenant=SYSTEM_TENANT, name="greeting", locale="en", subject="system", text_body="")
    async with AttemptContext(world.dsn, world.tenant).db.transaction() as connection:
        for statement in ("update billing.mail_templates set subject = 'x'", "delete from billing.mail_templates"):
            assert (await connection.execute(statement)).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(
                "insert into billing.mail_templates (tenant, name, locale, subject, text_body) "
                "values ('00000000-0000-0000-0000-000000000000', 'greeting', 'de', 'x', 'x')"
            )
    assert await found(world, "en") == "system"


def test_values_are_escaped_in_html_and_only_there() -> None:
    filled = template('Dear $name\n$items\n<a href="$link">', subject="For $name").fill(
        {"name": "<b>Ada</b> & Co", "link": 'x" onclick="', "items": Block("one\ntwo", "<ul><li>one</ul>")}
    )
    assert filled.subject == "For <b>Ada</b> & Co"
    assert filled.text == 'Dear <b>Ada</b> & Co\none\ntwo\n<a href="x" onclick="">'
    assert filled.html == (
        'Dear &lt;b&gt;Ada&lt;/b&gt; &amp; Co\n<ul><li>one</ul>\n<a href="x&quot; onclick=&quot;">'
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$nmae", r"asks for \$nmae; there is \$name"),
        ("${name.__class__}", "begins no name"),
        ("costs $5", r"write \$\$"),
        ("$" * 402, "more than 200"),
    ],
)
def test_a_template_that_asks_for_what_there_is_not_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MailTemplateError, match=reason):
        template(text).fill({"name": "Ada"})


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "{% for x in y %}", "%(name)s", "{name.__class__}", "<%= 1 %>", "$$name"]
)
def test_nothing_in_a_template_runs(text: str) -> None:
    assert template(text).fill({"name": "Ada"}).text == text.replace("$$", "$")


@given(value=st.text(max_size=200))
def test_no_value_is_read_as_a_template_or_as_markup(value: str) -> None:
    filled = template("[$a]").fill({"a": value, "b": "secret"})
    assert filled.text == f"[{value}]"
    assert filled.html is not None
    assert not set(filled.html) & set("<>\"'")


def test_a_long_value_is_cut_and_a_long_block_refused() -> None:
    assert len(template("$a").fill({"a": "x" * 10_000}).text) == MAX_VALUE_CHARS
    with pytest.raises(MailTemplateError, match="are the limit"):
        template("$a").fill({"a": Block("", "x" * 40_000)})
