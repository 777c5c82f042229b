import asyncio

import pytest

from acme_reminders.jobs import Reminder, remind
from acme_reminders.outbox import Outbox
from jobcore import NonRetryableError
from jobcore.testing import run_job


def run(reminder, outbox):
    return asyncio.run(run_job(remind, reminder, services=[outbox]))


def test_a_reminder_reaches_the_outbox(tmp_path):
    outbox = Outbox(tmp_path / "sent.txt")
    ran = run(Reminder(client="Ada", text="your invoice is due"), outbox)
    assert ran.result == "Ada was reminded"
    assert (tmp_path / "sent.txt").read_text() == "Ada: your invoice is due\n"


def test_a_reminder_without_a_text_is_not_tried_again(tmp_path):
    with pytest.raises(NonRetryableError, match="Ada has no text"):
        run(Reminder(client="Ada", text=" "), Outbox(tmp_path / "sent.txt"))
