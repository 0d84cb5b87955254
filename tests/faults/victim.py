"""The process that is killed: the whole engine on SQLite with one channel. Its plugin takes a little while for some messages.

python victim.py '{"channel": "frontdesk.channels.web:channel", "settings": {}, "port": 8080, "folder": "data"}'
"""

import asyncio
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from frontdesk.core.app import App, Options
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.turn import Turn

plugin = Plugin("echo")


@plugin.pattern(r"^poison$")
async def poison(turn: Turn) -> Reply:
    os.kill(os.getpid(), signal.SIGKILL)
    return Reply("unreachable")


@plugin.pattern(r"^\d+$")
async def echo(turn: Turn) -> Reply:
    number = int(turn.text)
    turn.memory["sum"] = turn.memory.get("sum", 0) + number
    if number % 5 == 0:
        await asyncio.sleep(0.01)
    return Reply(f"{number} {turn.memory['sum']}")


async def main(what: dict[str, Any]) -> None:
    module, _, attribute = what["channel"].partition(":")
    channel = getattr(import_module(module), attribute)
    folder = Path(what["folder"])
    app = App(
        Options(
            data_folder=folder,
            port=what["port"],
            shutdown_seconds=5,
            never_twice=[channel.name] if what.get("never_twice") else [],
        ),
        store=SqliteStore(folder / "frontdesk.db"),
        plugins=[plugin],
        transports=[(channel, channel.Settings.model_validate(what["settings"]))],
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with app:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
