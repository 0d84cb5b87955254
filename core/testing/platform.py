"""A platform on loopback whose customers write to the bot, for tests of channels; and what such tests wait for."""

import asyncio
import random
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from frontdesk.core.app import App
from frontdesk.core.attachments import Attachments
from frontdesk.core.channel import Channel
from frontdesk.core.messages import Choice, Entry, Message
from frontdesk.core.outcomes import Ask, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.turn import Answer, Turn

Problem = Literal["later", "down", "no"]
SECONDS = 60.0
"""So long a test waits for what must happen: on a busy machine that can take a while, and when all is well nobody waits."""

MARKDOWN = """## Opening hours

We are **open** from *Monday* to ~~Sunday~~ Saturday, see [our page](https://shop.example/hours?a=1&b=2).

- first `item`
- second item

1. one
2. two

```python
if a < b and b > c:
    print("a & b")
```

> a quotation

| day | hours |
| --- | ----- |
| Mon | 9-17  |

Not markup: 3 * 4 * 5 = 60, snake_case_name, <b>tag</b>, a_b_c, 5 > 4 & 3 < 4, C:\\\\folder, #1, @everyone, _under_, ``` and *"""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One message as a customer sees it. `text` is what is read on the screen, without the platform's markup; `files` by name."""

    text: str
    choices: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


class Platform(ABC):
    """A platform on loopback with customers who write to the bot there. `reference` names a message that a customer wrote.

    `longest` is the number of characters of the longest message that the platform takes; what is longer it refuses.
    """

    channel: ClassVar[type[Channel]]
    longest: int

    @abstractmethod
    async def start(self, port: int, folder: Path) -> BaseModel:
        """Starts it and returns the channel's settings. The bot will listen on 127.0.0.1:port; `folder` is for files."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def wrong_settings(self) -> BaseModel:
        """Settings with credentials that the platform refuses."""

    @abstractmethod
    async def write(self, text: str, *, customer: str = "ann", files: Mapping[str, bytes] | None = None) -> str:
        """A customer writes. The platform delivers it as it would: again, if it was not acknowledged."""

    @abstractmethod
    async def repeat(self, reference: str) -> None:
        """Delivers the same message once more."""

    @abstractmethod
    async def echo(self, text: str) -> None:
        """Delivers a message that the bot itself, or another bot, has written in the conversation of ann."""

    @abstractmethod
    def seen(self, customer: str = "ann") -> list[Seen]:
        """What the bot has sent to this customer, edits applied."""

    @abstractmethod
    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        """The platform refuses that many of the bot's next messages: for a second (`later`), by a failure of its own (`down`), or
        for ever (`no`)."""

    async def press(self, label: str, *, customer: str = "ann") -> None:
        """Presses the newest button of that label. Where there are none, the customer writes its number or label."""
        raise NotImplementedError

    async def edit(self, reference: str, text: str) -> None:
        raise NotImplementedError

    async def delete(self, reference: str) -> None:
        raise NotImplementedError

    async def react(self, reference: str, emoji: str) -> None:
        raise NotImplementedError

    def typed(self, customer: str = "ann") -> bool:
        """Whether the bot has shown that it is working."""
        raise NotImplementedError


class ContractPlugin(Plugin):
    """What answers to "slow" waits until `hold` is set."""

    def __init__(self) -> None:
        super().__init__("contract")
        self.hold = asyncio.Event()


def a_plugin() -> ContractPlugin:
    """Answers whatever the contract writes."""
    plugin = ContractPlugin()

    @plugin.pattern(r"^say markdown$")
    async def markdown(turn: Turn) -> Reply:
        return Reply(MARKDOWN)

    @plugin.pattern(r"^say (\d+) words$")
    async def long(turn: Turn) -> Reply:
        count = int(turn.text.split()[1])
        words = [f"word{number}" for number in range(count)]
        return Reply("\n\n".join(" ".join(words[start : start + 40]) for start in range(0, count, 40)))

    @plugin.pattern(r"^choose$")
    async def choose(turn: Turn) -> Ask:
        return Ask("Which colour?", then=chosen, choices=[Choice("Dark red", "red"), Choice("Light blue", "blue")])

    @plugin.step
    async def chosen(turn: Turn, colour: Answer) -> Reply:
        return Reply(f"You chose {colour}.")

    @plugin.pattern(r"^send a file$")
    async def file(turn: Turn, attachments: Attachments) -> Reply:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"hello "
            yield "wörld".encode()

        attachment = await attachments.save(chunks(), name="grüße.txt", media_type="text/plain")
        return Reply("Here it is.", attachments=[attachment])

    @plugin.pattern(r"^slow$")
    async def slow(turn: Turn) -> Reply:
        await asyncio.wait_for(plugin.hold.wait(), SECONDS)
        return Reply("slowly done")

    @plugin.answer
    async def echo(turn: Turn, attachments: Attachments) -> Reply:
        sizes = ", ".join(f"{file.name} {attachments.path(file.id).stat().st_size}" for file in turn.attachments)
        return Reply(f"You said: {turn.text}" + (f" [{sizes}]" if sizes else ""))

    return plugin


def free_port() -> int:
    """A port below those that outgoing connections take, so that none of them is faster than who listens here."""
    while True:
        port = random.randint(10_000, 30_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


async def wait_for(platform: Platform, count: int, *, customer: str = "ann", seconds: float = SECONDS) -> list[Seen]:
    """What the customer sees, as soon as it is so much."""
    try:
        await until(lambda: len(platform.seen(customer)) >= count, seconds)
    except TimeoutError:
        raise AssertionError(f"{customer} sees only {platform.seen(customer)}") from None
    return platform.seen(customer)


async def settled(platform: Platform, *, customer: str = "ann") -> None:
    """Returns when something has come and nothing more comes."""
    await wait_for(platform, 1, customer=customer)
    count = 0
    while count != len(platform.seen(customer)):
        count = len(platform.seen(customer))
        await asyncio.sleep(1.5)


async def recorded(app: App, count: int) -> None:
    """Returns when so many messages of the one conversation, or of all, are in the store."""

    async def kept() -> bool:
        return len(await messages(app)) >= count

    await until(kept)


async def settled_record(app: App) -> list[Entry]:
    """The transcript of the one conversation, once all of it is done."""

    async def done() -> bool:
        health = await app.store.health()
        return not health.inbox and not health.outbox

    await until(done)
    (state,) = await app.store.conversations()
    return await app.store.transcript(state.id)


async def messages(app: App) -> list[Message]:
    entries = getattr(app.store, "_entries").values()  # noqa: B009 - a message has no conversation before its first turn
    return [entry.body for entry in entries if isinstance(entry.body, Message)]


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = SECONDS) -> None:
    """Raises `TimeoutError`."""

    async def met() -> bool:
        value: Any = condition()
        return bool(await value) if isinstance(value, Awaitable) else bool(value)

    async with asyncio.timeout(seconds):
        while not await met():  # noqa: ASYNC110 - what is waited for happens elsewhere
            await asyncio.sleep(0.02)
