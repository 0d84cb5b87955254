"""The process that is killed while agents answer from Slack customers of another channel.

python slack_agents_victim.py '{"platform": "http://127.0.0.1:9000/send", "slack": {}, "port": 8080, "folder": "data"}'
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from frontdesk.channels.slack import SlackChannel, SlackSettings
from frontdesk.core.app import App, Options
from frontdesk.core.outcomes import Escalate, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing.webhook import WebhookChannel, WebhookSettings
from frontdesk.core.turn import Turn

plugin = Plugin("bot")


@plugin.answer
async def answer(turn: Turn) -> Reply | Escalate:
    return Escalate("asked for a person") if turn.text == "human" else Reply("I am the bot")


async def main(what: dict[str, Any]) -> None:
    folder = Path(what["folder"])
    app = App(
        Options(data_folder=folder, port=what["port"], shutdown_seconds=5),
        store=SqliteStore(folder / "frontdesk.db"),
        plugins=[plugin],
        transports=[
            (SlackChannel, SlackSettings.model_validate(what["slack"])),
            (WebhookChannel, WebhookSettings(platform=what["platform"])),
        ],
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with app:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
