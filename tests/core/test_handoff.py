from datetime import UTC, datetime

import pytest

from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import TransientError, Unavailable
from frontdesk.core.events import Events
from frontdesk.core.handoff import HandoffService
from frontdesk.core.messages import Contact, Mark, Note, Outgoing
from frontdesk.core.notices import Notices
from frontdesk.core.storage.memory import MemoryStore

START = datetime(2026, 5, 4, tzinfo=UTC)
NEW = Conversation(id="web:1", channel="web", contact=Contact(id="kim"), created=START, updated=START, language="de")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def handoff(store: MemoryStore) -> HandoffService:
    return HandoffService(store, Events())


async def bodies(store: MemoryStore) -> list[object]:
    return [entry.body for entry in await store.transcript("web:1")]


async def test_a_person_is_called_once_and_nothing_is_said(store: MemoryStore, handoff: HandoffService) -> None:
    for _ in range(2):
        state = await handoff.escalate("web:1", "mail is held back", begin=NEW)
        assert (state.owner, state.handoff and state.handoff.reason) == ("queue", "mail is held back")
    (mark,) = await bodies(store)
    assert isinstance(mark, Mark)
    assert (mark.event, mark.by, mark.reason) == ("escalated", "bot", "mail is held back")


async def test_nobody_is_called_where_a_person_has_the_conversation(store: MemoryStore, handoff: HandoffService) -> None:
    await handoff.take("web:1", "Ana", begin=NEW)
    state = await handoff.escalate("web:1", "mail is held back")
    assert (state.owner, state.agent, state.handoff) == ("agent", "Ana", None)


async def test_a_call_about_an_unknown_conversation_is_refused(handoff: HandoffService) -> None:
    with pytest.raises(KeyError):
        await handoff.escalate("web:9", "mail is held back")


async def test_a_new_version_of_a_note_names_the_old_one(store: MemoryStore, handoff: HandoffService) -> None:
    await handoff.take("web:1", "Ana", begin=NEW)
    await handoff.note("web:1", "Ana", "agnry", id="1")
    await handoff.note("web:1", "Ana", "angry", id="2", replaces="web:1/note/1")
    first, second = [body for body in await bodies(store) if isinstance(body, Note)]
    assert (second.text, second.replaces) == ("angry", first.id)


async def test_a_notice_is_said_once_in_the_conversations_language(store: MemoryStore) -> None:
    await store.commit(NEW, ())
    notices = Notices(store, Events())
    for _ in range(2):
        await notices.say("web:1", lambda language: f"said in {language}", id="linked/1", plugin="contacts")
    (said,) = await bodies(store)
    assert isinstance(said, Outgoing)
    assert (said.text, said.author, said.plugin, said.id) == ("said in de", "bot", "contacts", "web:1/notice/linked/1")


async def test_a_notice_that_cannot_be_kept_can_be_tried_again(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.commit(NEW, ())

    async def full(*_: object) -> Conversation:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(store, "commit", full)
    with pytest.raises(TransientError, match="the disk is full"):
        await Notices(store, Events()).say("web:1", str, id="1", plugin="contacts")
