"""What is measured: each server takes an update as a webhook and answers it with one call to the platform.

    python -m benchmarks.servers webhook|telegram|slack floor|rival|memory|sqlite PLATFORM_PORT FOLDER

prints its port, and on SIGTERM its CPU time and peak memory.
"""

import asyncio
import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

from benchmarks.paths import PATHS, MessagePath


async def floor(path: MessagePath, platform: str) -> web.Application:
    """The least that a webhook bot can do: parse the update, call the platform once, answer 200."""
    session = ClientSession(connector=TCPConnector(limit=0))

    async def webhook(request: web.Request) -> web.Response:
        address, reply = path.call(platform, json.loads(await request.read()))
        async with session.post(address, json=reply) as response:
            await response.read()
        return web.Response()

    app = web.Application()
    app.router.add_post(path.url, webhook)
    return app


async def frontdesk(path: MessagePath, platform: str, folder: Path, kind: str) -> web.Application:
    """The whole engine: durable inbox, turn, durable outbox, delivery."""
    from frontdesk.channels.web import channel as web_channel
    from frontdesk.config.logging import configure
    from frontdesk.config.settings import LoggingOptions
    from frontdesk.core.app import App, Options
    from frontdesk.core.collector import spare_what_lasts
    from frontdesk.core.http import Operations, application
    from frontdesk.core.outcomes import Reply
    from frontdesk.core.plugin import Plugin
    from frontdesk.core.storage.memory import MemoryStore
    from frontdesk.core.storage.sqlite import SqliteStore
    from frontdesk.core.turn import Turn

    configure(LoggingOptions(level="warning"))
    plugin = Plugin("echo")

    @plugin.pattern(r"^\d+$")
    async def echo(turn: Turn) -> Reply:
        return Reply(f"echo {turn.text}")

    store = MemoryStore() if kind == "memory" else SqliteStore(folder / "bench.db")
    transports = [path.channel(platform), (web_channel, web_channel.Settings())]
    app = App(Options(data_folder=folder), store=store, plugins=[plugin], transports=transports, serve=False)
    await app.__aenter__()
    spare_what_lasts()
    return application(Operations(store, app.metrics, lambda: True, app.models), app.transports)


async def main(name: str, kind: str, platform_port: int, folder: Path) -> None:
    path, platform = PATHS[name], f"http://127.0.0.1:{platform_port}"
    if kind == "floor":
        app = await floor(path, platform)
    elif kind == "rival":
        assert path.rival is not None
        app = await path.rival(platform)
    else:
        app = await frontdesk(path, platform, folder, kind)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    started = resource.getrusage(resource.RUSAGE_SELF)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    print(json.dumps(usage_since(started)), flush=True)


def usage_since(started: Any) -> dict[str, float]:
    """CPU in seconds, peak memory in MB."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - started.ru_utime - started.ru_stime
    return {"cpu_s": cpu, "peak_mb": now.ru_maxrss / 1024}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])))
