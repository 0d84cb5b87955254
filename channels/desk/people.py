"""Which conversations are of one person: those of the same contact, and those of the accounts that are linked with it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from frontdesk.channels.desk.inbox import MOST, Inbox, Last
from frontdesk.core.contacts import Contacts, Identity, Link, identity, is_proved
from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import TransientError
from frontdesk.core.store import Store

SHOWN = 6
"""So many conversations of one account are shown, and so many answers to a search."""


@dataclass(frozen=True, kw_only=True)
class Related:
    conversation: Conversation
    last: Last


@dataclass(frozen=True, kw_only=True)
class LinkedAccount:
    """`link` is the newest one that the account is part of."""

    identity: Identity
    link: Link | None
    conversations: Sequence[Related]


@dataclass(frozen=True, kw_only=True)
class Person:
    """`verified`: only then can links be seen and made. `available` is False while the links cannot be read."""

    verified: bool
    available: bool
    accounts: Sequence[LinkedAccount]
    conversations: Sequence[Related]


class People:
    def __init__(self, store: Store, contacts: Contacts, inbox: Inbox) -> None:
        self._store = store
        self._contacts = contacts
        self._inbox = inbox

    async def of(self, conversation: Conversation) -> Person:
        """The person who writes in a conversation, without that conversation."""
        own = identity_of(conversation)
        accounts: Sequence[LinkedAccount] = ()
        available = True
        try:
            person = await self._contacts.person(conversation.channel, conversation.contact, conversation.id)
            accounts = [await self._account(one) for one in (person.besides(own) if person else ())]
        except TransientError:
            available = False
        return Person(
            verified=is_proved(conversation.contact, conversation.id),
            available=available,
            accounts=accounts,
            conversations=await self._conversations(own, but=conversation.id),
        )

    async def linked(self, conversation: Conversation, channel: str, contact: str) -> Identity:
        """An account that is linked with the conversation's contact. Raises `KeyError` if there is none."""
        person = await self._contacts.person(conversation.channel, conversation.contact, conversation.id)
        for one in person.besides(identity_of(conversation)) if person else ():
            if (one.channel, one.contact) == (channel, contact):
                return one
        raise KeyError(contact)

    async def search(self, conversation: Conversation, words: str) -> list[Related]:
        """Conversations of contacts that are not linked yet, whose id, name or address has the words in it, the newest first."""
        wanted = words.strip().casefold()
        person = await self._contacts.person(conversation.channel, conversation.contact, conversation.id)
        known = {(one.channel, one.contact) for one in (*(person.identities if person else ()), identity_of(conversation))}
        found: list[Conversation] = []
        before: datetime | None = None
        for _ in range(MOST // 200):
            some = await self._store.conversations(before=before, limit=200)
            found += [one for one in some if (one.channel, one.contact.id) not in known and wanted in _searched(one)]
            if len(found) >= SHOWN or len(some) < 200:
                break
            before = some[-1].updated
        return await self._related(found[:SHOWN])

    async def _account(self, one: Identity) -> LinkedAccount:
        links = await self._contacts.history(one.channel, one.contact)
        link = next((link for link in links if link.undone_at is None), None)
        return LinkedAccount(identity=one, link=link, conversations=await self._conversations(one))

    async def _conversations(self, one: Identity, *, but: str = "") -> list[Related]:
        found = await self._store.conversations(contact=(one.channel, one.contact), limit=SHOWN + 1)
        return await self._related([conversation for conversation in found if conversation.id != but][:SHOWN])

    async def _related(self, conversations: Sequence[Conversation]) -> list[Related]:
        last = await asyncio.gather(*map(self._inbox.last_of, conversations))
        return [Related(conversation=one, last=words) for one, words in zip(conversations, last, strict=True)]


def identity_of(conversation: Conversation) -> Identity:
    return identity(conversation.channel, conversation.contact, conversation.id)


def _searched(conversation: Conversation) -> str:
    contact = conversation.contact
    return "\n".join(filter(None, (conversation.id, contact.id, contact.name, contact.email, contact.phone))).casefold()
