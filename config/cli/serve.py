"""`frontdesk run`."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

import typer

from frontdesk import __version__
from frontdesk.config.cli.options import ConfigFile

if TYPE_CHECKING:
    from frontdesk.core.app import App
    from frontdesk.plugins.replies.knowledge.values import OnProgress

app = typer.Typer(add_completion=False)

PAGES = {"web": ("Chat page", "/chat"), "desk": ("Desk", "/desk")}


@app.command()
def run(
    config: ConfigFile = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the configuration or a plugin changes.")] = False,
) -> None:
    """Serve all channels and the desk until Ctrl-C.

    Example: `FRONTDESK_WEB__PORT=9000 frontdesk run --config shop.yaml`

    The first Ctrl-C (or SIGTERM) takes nothing new, finishes what is under way and stops; the second stops at once.
    """
    if reload:
        _run_with_reload(config)
        return
    from frontdesk.config.loader import load
    from frontdesk.config.logging import configure

    configuration = load(config)
    configure(configuration.settings.logging)
    what = "the demo shop, as there is no frontdesk.yaml here" if configuration.demo else str(configuration.file)
    _say(f"Frontdesk {__version__}: {what}")
    from frontdesk.config.composition import build

    asyncio.run(_Serving().run(lambda progress: build(configuration, on_progress=progress)))


@runtime_checkable
class _NeedsAdmin(Protocol):
    async def first_admin_link(self) -> str | None: ...


class _Serving:
    """Runs an application until a signal comes. A second signal ends the process at once."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._starting: asyncio.Task[None] | None = None

    async def run(self, build: "Callable[[OnProgress], App]") -> None:
        from frontdesk.config.cli.progress import indexing
        from frontdesk.core.collector import spare_what_lasts

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        with indexing() as progress:
            application = build(progress)
            self._starting = asyncio.create_task(self._enter(application))
            try:
                await self._starting
            except asyncio.CancelledError:
                return
            self._starting = None
        spare_what_lasts()
        try:
            await self._announce(application)
            await self._stop.wait()
        finally:
            await application.__aexit__()

    @staticmethod
    async def _enter(application: "App") -> None:
        await application.__aenter__()

    def _signalled(self, number: int) -> None:
        if self._stop.is_set():
            os._exit(128 + number)
        self._stop.set()
        if self._starting is not None:
            self._starting.cancel()
        _say("Stopping ... (once more: stop at once)")

    async def _announce(self, application: "App") -> None:
        options = application.options
        base_url = options.base_url or f"http://{options.host}:{options.port}"
        running = {transport.name: transport for transport in application.transports}
        for name, (title, path) in PAGES.items():
            if name in running:
                _say(f"  {title:<10} {base_url}{path}")
        for transport in running.values():
            if isinstance(transport, _NeedsAdmin) and (link := await transport.first_admin_link()):
                _say(f"  First start: become the desk's administrator by this link, once:\n  {link}")
        if not application.intents.ready:
            _say("  Learning what customers may want, as the plugins are new or have changed; first answers may wait for it.")
        _say("  Ctrl-C stops.")


def _run_with_reload(config: Path | None) -> None:
    """Runs the command in a child, and again after each change of the configuration or a plugin file."""
    try:
        import watchfiles
    except ImportError as error:
        from frontdesk.core.errors import MissingExtra

        raise MissingExtra("--reload", "dev") from error
    from frontdesk.config.loader import DEMO, find_file, plugin_folders

    file = find_file(config)
    command = [sys.executable, "-m", "frontdesk", "run", *(["--config", str(file)] if file != DEMO else [])]
    present = [path for path in (file, *plugin_folders(file)) if path.exists()]
    _say(f"Starting again when one of these changes: {', '.join(map(str, present))}")
    watchfiles.run_process(*present, target=shlex.join(command), target_type="command")


def _say(text: str) -> None:
    """To whoever started the server, at once."""
    print(text, flush=True)
