"""What a channel is: the adapter between one platform and the core.

A channel package has the files `adapter` (the class below), `parse` (pure: a platform's payload in, messages out), `render`
(a reply in, the platform's form out; `frontdesk.core.rendering` has what they share) and `settings` (a pydantic model). It is
registered as an entry point of the group `frontdesk.channels` that names a subclass of `Channel`, or of `Transport` if no
customer writes there.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from aiohttp import web
from pydantic import BaseModel

from frontdesk.core.attachments import Attachments
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.contacts import Contacts
from frontdesk.core.events import Events
from frontdesk.core.handoff import HandoffService
from frontdesk.core.messages import Attachment, Message, Outgoing
from frontdesk.core.store import Receipt, Store
from frontdesk.core.text import Words

Accept = Callable[[Message], Awaitable[Receipt]]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the core gives to a channel.

    `accept` commits a message to the inbox: acknowledge to the platform only after it returned. It raises `Unavailable`
    (answer 503, leave the cursor) and `InvalidInput` (answer 4xx). The store is for reading. `folder` is the data folder,
    where a channel may keep small files of its own, such as a signing key. `languages` are the bot's, its own first, and
    `commands` tells what each command does, for platforms that show a menu. `whole` asks a message's channel for `Channel.whole`.
    """

    accept: Accept
    store: Store
    events: Events
    handoff: HandoffService
    attachments: Attachments
    contacts: Contacts
    folder: Path
    base_url: str
    languages: Sequence[str] = ("en",)
    commands: Mapping[str, Words] = field(default_factory=dict)
    whole: Callable[[Message], str | None] = lambda _message: None

    @classmethod
    def in_folder(cls, folder: Path, *, store: Store, events: Events, accept: Accept, base_url: str, **more: Any) -> Self:
        """With what lies in the data folder, none of it open, and no application around: for checks and tests."""
        return cls(
            accept=accept,
            store=store,
            events=events,
            handoff=HandoffService(store, events),
            attachments=Attachments(folder / "attachments"),
            contacts=Contacts(folder / "contacts.db"),
            folder=folder,
            base_url=base_url,
            **more,
        )


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

    async def check(self) -> str:
        """Asks the platform whether the credentials are right, and says in a few words who we are there.

        Called on a channel that was not started; changes nothing on the platform. Raises `ConfigurationError` that names the
        setting and the fix.
        """
        return "nothing to ask a platform about"


class Channel(Transport):
    """A platform on which customers write."""

    capabilities: ClassVar[Capabilities]
    patience: ClassVar[timedelta] = timedelta(hours=1)
    """For so long after it was written a reply is tried again while the platform is out of reach."""

    send_seconds: ClassVar[float] = 60.0
    """A send that takes longer is given up, and it is not known whether the platform has taken the reply."""

    @property
    def command_prefix(self) -> str:
        """What customers write before a command's name, where the platform takes a slash for itself."""
        return "/"

    @abstractmethod
    async def send(self, outgoing: Outgoing) -> str | None:
        """Delivers one reply and returns the platform's id of it, if it has one.

        Called in order per conversation. `outgoing.id` is the idempotency key. Raises `DeliveryDeferred` only if the platform has
        not taken it, `DeliveryUncertain` if that is not known, `DeliveryRejected`; any other error counts as uncertain.
        """

    async def edit(self, outgoing: Outgoing, platform_id: str) -> str | None:
        """Puts a reply in the place of the one that `send` returned this id for. Called only where `capabilities.edits`."""
        raise NotImplementedError

    async def ready(self, conversation: str) -> None:
        """Waits until the platform's rate limits, as far as they are known, let another message to this conversation pass."""

    def whole(self, message: Message) -> str | None:
        """All that was sent, as plain text for agents, where the message holds only a part of it: a mail with its quotes."""
        return None

    def fetch(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of an attachment that was left with the platform, while the message's turn waits.

        Raises `InvalidInput` where it will never be had, and `TransientError` where it may be later.
        """
        raise NotImplementedError

    async def typing(self, conversation: str) -> None:
        """Shows the customer that the bot is working. Errors are ignored."""
