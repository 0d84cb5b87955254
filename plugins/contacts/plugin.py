"""The contacts plugin: `/link` shows a code, `/link CODE` links what the code was shown to, `/unlink` undoes it."""

import re
from contextlib import suppress
from functools import partial

from frontdesk.core.contacts import CODE_LENGTH, Contacts, Identity, Refused, normal, proved
from frontdesk.core.notices import Notices
from frontdesk.core.outcomes import Confirm, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.turn import Turn
from frontdesk.plugins.contacts import words

plugin = Plugin("contacts", description="Links the accounts that one person has on several channels")


@plugin.command("link", help=words.LINK_HELP, always=True)
async def link(turn: Turn, contacts: Contacts) -> Outcome:
    """What follows in later lines does not count: it may be the signature of a mail."""
    _, _, given = turn.text.splitlines()[0].partition(" ")
    return await _take(turn, contacts, given) if given.strip() else await _show(turn, contacts)


@plugin.pattern(r"\Alink[ ]+([0-9A-Z]{4}-[0-9A-Z]{4})[ ]*(?:\n|\Z)", always=True)
async def link_without_slash(turn: Turn, contacts: Contacts, found: re.Match[str]) -> Outcome:
    """What customers are told to write: Slack takes a slash for a command of its own."""
    return await _take(turn, contacts, found[1])


@plugin.pattern(r"\A(?:link|unlink)\Z", always=True)
async def command_without_slash(turn: Turn, contacts: Contacts) -> Outcome:
    return await unlink(turn, contacts) if turn.text.casefold() == "unlink" else await _show(turn, contacts)


@plugin.step
async def join(turn: Turn, contacts: Contacts, notices: Notices, offer: int, shown_in: str | None = None) -> Outcome:
    """`shown_in` is the conversation that made the code: whoever is there is told, for the code may have been stolen."""
    identity = proved(turn.messages)
    if identity is None:
        return _refused(turn, Refused("unverified"))
    try:
        person = await contacts.redeem(offer, identity)
    except Refused as refused:
        return _refused(turn, refused)
    if shown_in is not None:
        with suppress(KeyError):
            await notices.say(shown_in, partial(words.used, identity), id=f"linked/{offer}", plugin=plugin.name)
    linked = turn.say(words.LINKED_WITH).format(others=words.accounts(person.besides(identity), turn.language))
    return Reply(turn.say(words.DONE).format(linked=linked))


@plugin.command("unlink", help=words.UNLINK_HELP, always=True)
async def unlink(turn: Turn, contacts: Contacts) -> Outcome:
    identity = proved(turn.messages)
    if identity is None:
        return _refused(turn, Refused("unverified"))
    others = await _others(turn, contacts, identity)
    if not others:
        return Reply(words.NO_LINK)
    return Confirm(turn.say(words.SHALL_I_UNLINK).format(others=words.accounts(others, turn.language)), then=part)


@plugin.step
async def part(turn: Turn, contacts: Contacts) -> Outcome:
    identity = proved(turn.messages)
    if identity is None:
        return _refused(turn, Refused("unverified"))
    await contacts.unlink(identity, by=identity.channel)
    return Reply(words.UNLINKED)


async def _show(turn: Turn, contacts: Contacts) -> Outcome:
    identity = proved(turn.messages)
    if identity is None:
        return _refused(turn, Refused("unverified"))
    if any(message.public for message in turn.messages):
        return Reply(words.IN_PRIVATE)
    try:
        code = await contacts.issue_code(identity)
    except Refused as refused:
        return _refused(turn, refused)
    said = turn.say(words.WRITE_THE_CODE).format(code=f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}")
    if others := await _others(turn, contacts, identity):
        said += "\n\n" + turn.say(words.LINKED_WITH).format(others=words.accounts(others, turn.language))
    return Reply(said)


async def _take(turn: Turn, contacts: Contacts, code: str) -> Outcome:
    identity = proved(turn.messages)
    if identity is None:
        return _refused(turn, Refused("unverified"))
    if len(normal(code)) != CODE_LENGTH:
        return Reply(words.NO_CODE)
    try:
        offer = await contacts.offer(code, identity)
    except Refused as refused:
        return _refused(turn, refused)
    asked = turn.say(words.SHALL_I_LINK).format(account=words.account(offer.identity, turn.language))
    return Confirm(asked, then=join, args={"offer": offer.id, "shown_in": offer.identity.conversation}, declined=words.NOT_LINKED)


async def _others(turn: Turn, contacts: Contacts, identity: Identity) -> tuple[Identity, ...]:
    person = await contacts.person(identity.channel, turn.messages[-1].contact, turn.conversation)
    return person.besides(identity) if person else ()


def _refused(turn: Turn, refused: Refused) -> Reply:
    return Reply(turn.say(words.REFUSALS[refused.why]).format(minutes=refused.minutes))
