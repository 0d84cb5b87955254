"""The process that is killed: the whole engine on SQLite, with a plugin that takes a little while for some messages.

python victim.py PORT PLATFORM_URL FOLDER
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from frontdesk.core.app import App, Options
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing.webhook import WebhookChannel, WebhookSettings
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


async def main(port: int, platform: str, folder: Path) -> None:
    app = App(
        Options(data_folder=folder, port=port, shutdown_seconds=5),
        store=SqliteStore(folder / "frontdesk.db"),
        plugins=[plugin],
        transports=[(WebhookChannel, WebhookSettings(platform=platform))],
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with app:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
