"""What a channel is: the adapter between one platform and the core.

A channel package has the files `adapter` (the class below), `parse` (pure: a platform's payload in, messages out), `render`
(a reply in, the platform's form out; `frontdesk.core.rendering` has what they share) and `settings` (a pydantic model). It is
registered as an entry point of the group `frontdesk.channels` that names a subclass of `Channel`, or of `Transport` if no
customer writes there.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from aiohttp import web
from pydantic import BaseModel

from frontdesk.core.attachments import Attachments
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.events import Events
from frontdesk.core.handoff import HandoffService
from frontdesk.core.messages import Message, Outgoing
from frontdesk.core.store import Receipt, Store

Accept = Callable[[Message], Awaitable[Receipt]]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the core gives to a channel.

    `accept` commits a message to the inbox: acknowledge to the platform only after it returned. It raises `Unavailable`
    (answer 503, leave the cursor) and `InvalidInput` (answer 4xx). The store is for reading. `folder` is the data folder,
    where a channel may keep small files of its own, such as a signing key.
    """

    accept: Accept
    store: Store
    events: Events
    handoff: HandoffService
    attachments: Attachments
    folder: Path
    base_url: str


class Transport(ABC):
    """Something that people connect through: mounts web pages, or runs a connection of its own, or both."""

    name: ClassVar[str]
    Settings: ClassVar[type[BaseModel]]

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self.services = services

    def mount(self, http: web.Application) -> None:  # noqa: B027 - optional, not abstract
        """Adds routes. Called once, before the server starts."""

    async def start(self) -> None:  # noqa: B027
        """Opens what `send` needs. An error here stops the start: raise `ConfigurationError` with the fix."""

    async def run(self) -> None:  # noqa: B027
        """Pulls from the platform until cancelled. Returning at once means that there is nothing to pull."""

    async def stop(self) -> None:  # noqa: B027
        """Closes what `start` opened. The last replies have been sent."""


class Channel(Transport):
    """A platform on which customers write."""

    capabilities: ClassVar[Capabilities]

    @abstractmethod
    async def send(self, outgoing: Outgoing) -> str | None:
        """Delivers one reply and returns the platform's id of it, if it has one.

        Called in order per conversation. `outgoing.id` is the idempotency key. Raises `DeliveryDeferred` or
        `DeliveryRejected`; any other error counts as deferred, with backoff.
        """

    async def typing(self, conversation: str) -> None:
        """Shows the customer that the bot is working. Errors are ignored."""
