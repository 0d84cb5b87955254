"""Shows on standard error how far a model's download or loading is; one line for each step where nobody looks at it."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from frontdesk.core.models import Model

Tell = Callable[[str, float | None], None]
"""What goes on, and a share between 0 and 1 where it is known."""

LOOK_SECONDS = 0.1


def quiet() -> None:
    """No logs: what goes wrong with a model is told by the command itself."""
    from frontdesk.config.logging import configure
    from frontdesk.config.settings import LoggingOptions

    configure(LoggingOptions(level="error", format="console"))
    logging.getLogger().setLevel(logging.CRITICAL)


@contextmanager
def bar() -> Iterator[Tell]:
    """Gone when it is over."""
    if not sys.stderr.isatty():
        said: set[str] = set()

        def line(what: str, _share: float | None) -> None:
            if what and what not in said:
                said.add(what)
                print(what, file=sys.stderr, flush=True)

        yield line
        return
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("", total=None)

        def show(what: str, share: float | None) -> None:
            display.update(task, description=what, completed=(share or 0.0) * 100, total=None if share is None else 100)

        yield show


async def loaded(model: Model, tell: Tell) -> None:
    """Starts the model and waits for it. Raises what `start` and `loaded` raise."""
    await model.start()
    waiting = asyncio.ensure_future(model.loaded())
    try:
        while not (await asyncio.wait({waiting}, timeout=LOOK_SECONDS))[0]:
            state = model.state
            if state.status == "loading":
                tell(state.detail, state.progress)
        await waiting
    finally:
        waiting.cancel()
