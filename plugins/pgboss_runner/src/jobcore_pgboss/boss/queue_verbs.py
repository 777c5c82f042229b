"""Makes, changes and tells of queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import JobDefaults, check_limit, check_queue_name, check_queue_options


class QueueChanges(JobDefaults, total=False):
    """What `update_queue` changes."""

    dead_letter: str | None
    warning_queue_size: int
    notify: bool


class QueueOptions(QueueChanges, total=False):
    """What `create_queue` takes."""

    policy: str
    partition: bool


class QueueVerbs(Verbs):
    """`create_queue`, `update_queue`, `delete_queue`, `get_queue`, `get_queues`."""

    async def create_queue(self, name: str, **options: Unpack[QueueOptions]) -> None:
        """Make a queue; one that exists stays as it is.

        Raises:
            InputError: if the name or an option is one that pg-boss refuses.
            QueueNotFoundError: if the dead letter queue does not exist.
        """
        _check_dead_letter(name, options)
        checked = {"policy": "standard", **check_queue_options(options, QueueOptions)}
        if (dead_letter := options.get("dead_letter")) is not None and await self.get_queue(dead_letter) is None:
            raise QueueNotFoundError(dead_letter)
        await self._desk.ask("create_queue", check_queue_name(name), checked)

    async def update_queue(self, name: str, **options: Unpack[QueueChanges]) -> None:
        """Change what new jobs of a queue get by default. Raises as `create_queue`, and if nothing is to change."""
        if not options:
            raise InputError("update_queue: there is nothing to change.")
        _check_dead_letter(name, options)
        checked = check_queue_options(options, QueueChanges)
        if not await self._desk.ask("update_queue", check_queue_name(name), checked):
            raise QueueNotFoundError(name)

    async def delete_queue(self, name: str) -> None:
        """Delete a queue with all its jobs; harmless if there is none."""
        await self._desk.ask("delete_queue", check_queue_name(name))

    async def get_queue(self, name: str) -> Mapping[str, Any] | None:
        """Return a queue by its name: its row in `pgboss.queue`, with the counts of the last monitor pass."""
        queues = await self.get_queues([name])
        return queues[0] if queues else None

    async def get_queues(
        self, names: Sequence[str] | None = None, *, after: str = "", limit: int = 1_000
    ) -> Sequence[Mapping[str, Any]]:
        """Return queues by name: these, or all, after the last of the page before. Raises `InputError`."""
        wanted: dict[str, Any] = {"limit": check_limit("get_queues", limit)}
        if names is not None:
            wanted["names"] = [check_queue_name(name) for name in names]
        return await self._desk.ask("get_queues", after, wanted)


def _check_dead_letter(name: str, options: Mapping[str, Any]) -> None:
    if options.get("dead_letter") == name:
        raise InputError(f"Queue {name} cannot be its own dead letter queue.")
