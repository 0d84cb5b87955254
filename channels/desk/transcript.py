"""A stretch of a transcript as it is shown: with what belongs together put together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from frontdesk.channels.desk.render import Line, contact_name, emoji, event, line, preview
from frontdesk.core.messages import Contact, Entry, Message, Note, Outgoing, ReactionPart

ABOUT_EARLIER = ("edited", "deleted", "reaction")


def targets(entries: Sequence[Entry]) -> set[str]:
    """The ids of the messages that changes in this stretch are about, and that are not in it."""
    about = {entry.body.target for entry in entries if isinstance(entry.body, Message) and entry.body.kind in ABOUT_EARLIER}
    return {target for target in about if target is not None and _found(entries, target) is None}


def lines(
    entries: Sequence[Entry],
    earlier: Mapping[str, Entry],
    *,
    agent: str | None = None,
    contact: Contact | None = None,
    whole: Callable[[Message], str | None] = lambda _message: None,
) -> list[Line]:
    """`earlier` are the entries that `targets` named, as far as there are such. `agent` can correct the last of their replies.
    `contact` is the conversation's, which may know more of itself than an event does. `whole` gives all that was sent, where a
    message has only a part of it.

    A change is shown at what it is about, and only where that is not on the page as an event of its own.
    """
    entries = _newest_notes(_with_names(entries, earlier, contact))
    reactions: dict[int, Counter[str]] = {}
    shown: list[Line] = []
    group: str | None = None
    for entry in entries:
        body = entry.body
        if isinstance(body, Message) and body.kind in ABOUT_EARLIER and body.target is not None:
            target = _found(entries, body.target)
            if target is not None:
                for part in body.parts:
                    if isinstance(part, ReactionPart):
                        reactions.setdefault(target.seq, Counter())[emoji(part)] += -1 if part.removed else 1
                if body.kind == "reaction" or not body.parts:
                    continue
            happened = event(entry, _words(target or earlier.get(body.target)))
            shown.append(happened or line(entry))
            group = None
            continue
        joined = isinstance(body, Message) and body.group is not None and body.group == group
        group = body.group if isinstance(body, Message) else None
        all_of_it = whole(body) if isinstance(body, Message) and body.revision != "deleted" else None
        shown.append(replace(line(entry), joined=joined, whole=all_of_it or ""))
    replaced = {entry.body.replaces for entry in entries if isinstance(entry.body, Outgoing)}
    own = last_own(entries, agent) if agent is not None else None
    return [
        replace(
            one,
            reactions=tuple((+reactions[one.seq]).elements()) if one.seq in reactions else (),
            label="corrected" if one.id and one.id in replaced else one.label,
            draft=own.text if own is not None and own.id == one.id else None,
        )
        for one in shown
    ]


def _with_names(entries: Sequence[Entry], earlier: Mapping[str, Entry], contact: Contact | None) -> Sequence[Entry]:
    """Platforms tell of a deletion, or of a first message, without the name of who it was."""
    written = [entry.body.contact for entry in (*earlier.values(), *entries) if isinstance(entry.body, Message)]
    known = {one.id: one for one in (*written, *([contact] if contact else [])) if contact_name(one)}

    def named(entry: Entry) -> Entry:
        body = entry.body
        if not isinstance(body, Message) or contact_name(body.contact) or body.contact.id not in known:
            return entry
        return msgspec.structs.replace(entry, body=msgspec.structs.replace(body, contact=known[body.contact.id]))

    return [named(entry) for entry in entries]


def _newest_notes(entries: Sequence[Entry]) -> Sequence[Entry]:
    """With each note in its newest version, in the place of its first one on the page."""
    first: dict[str, str] = {}
    newest: dict[str, Note] = {}
    for entry in entries:
        if isinstance(note := entry.body, Note):
            first[note.id] = first.get(note.replaces or "", note.id)
            newest[first[note.id]] = note
    return [
        msgspec.structs.replace(entry, body=newest[entry.body.id]) if isinstance(entry.body, Note) else entry
        for entry in entries
        if not isinstance(entry.body, Note) or entry.body.id in newest
    ]


def _found(entries: Sequence[Entry], target: str) -> Entry | None:
    """The entry that a customer's change is about: a message by its id, a reply by the platform's id at the end of the target."""
    for entry in entries:
        pieces = (entry.platform_id or "").split(",") if isinstance(entry.body, Outgoing) else ()
        if entry.body.id == target or any(piece and target.endswith(f":{piece}") for piece in pieces):
            return entry
    return None


def _words(entry: Entry | None) -> str:
    if entry is None or not isinstance(entry.body, Message | Outgoing):
        return ""
    return preview(entry.body)[:80]


def last_own(entries: Sequence[Entry], agent: str) -> Outgoing | None:
    """The agent's last reply, which they can still correct; None if it was not delivered."""
    for entry in reversed(entries):
        body = entry.body
        if isinstance(body, Outgoing) and body.author == f"agent:{agent}":
            return body if entry.status != "dead" and body.text else None
    return None
