"""What the tests of the background duties share: workers with short intervals, and real Nodes that live on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.supervision import SupervisionSettings
from pgboss_runner.harness import App
from pgboss_runner.test_pgboss_with_node import require_node

SCRIPT = Path(__file__).parents[1] / "node" / "background.mjs"

QUIET: dict[str, Any] = {"enabled": False, "schedule": False}
"""No duties: for tests that call one by itself."""


def busy(**settings: Any) -> SupervisionSettings:
    """Duties with intervals that are shorter than the settings take."""
    return SupervisionSettings.model_construct(
        **{
            "maintenance_interval_seconds": 0.2,
            "monitor_interval_seconds": 0.2,
            "look_interval_seconds": 0.1,
            "mirror_interval_seconds": 0.1,
            "flow_interval_seconds": 0.1,
            "mirror_overlap_seconds": 1,
            "vanished_grace_seconds": 0.5,
            "cron_interval_seconds": 1,
            "heartbeat_seconds": 1,
            **settings,
        }
    )


def node_dsn_of(app: App, server: PostgresServer) -> str:
    """The application's database as Node reaches it: by TCP."""
    return server.dsn(str(conninfo_to_dict(app.dsn)["dbname"]), tcp=True)


class Node:
    """A living pg-boss in a process of its own; each call is one line of JSON there and one back."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the instance, or a command of the script."""
        reply = await self._ask(method, *arguments)
        assert "error" not in reply, reply
        return reply.get("value")

    async def refusal(self, method: str, *arguments: Any) -> str | None:
        """Call as `call` does, and return the error; `None` if there was none."""
        return (await self._ask(method, *arguments)).get("error")

    async def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            line = await self._process.stdout.readline()
        assert line, "Node ended"
        return json.loads(line)

    async def _ask(self, method: str, *arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, *arguments]).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer()


@asynccontextmanager
async def node_boss(dsn: str, *, release: str = "pg-boss", **options: Any) -> AsyncGenerator[Node]:
    """A started pg-boss with these constructor options, of a release that `tests/node` has; stopped at the end."""
    require_node()
    process = await asyncio.create_subprocess_exec(
        *("node", str(SCRIPT), dsn, json.dumps(options), release),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    node = Node(process)
    try:
        assert await node.answer() == {"value": "started"}
        yield node
    finally:
        assert process.stdin is not None
        process.stdin.close()  # it ends with its input; a signal would reach the launcher only
        async with asyncio.timeout(20):
            await process.wait()
