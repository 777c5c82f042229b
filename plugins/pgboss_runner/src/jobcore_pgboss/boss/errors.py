"""What goes wrong with pg-boss's verbs."""

from __future__ import annotations

from jobcore.errors import InputError


class QueueNotFoundError(InputError, LookupError):
    """A queue was named that does not exist: in pg-boss a queue is created before it is used."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Queue {name} does not exist. Create it first: await boss.create_queue({name!r})")
