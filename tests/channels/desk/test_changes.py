"""What customers and agents change after it was said, and what did not arrive."""

from typing import Any

import msgspec
import pytest
from aiohttp import FormData

from frontdesk.channels.desk.inbox import last_words
from frontdesk.channels.desk.transcript import last_own, lines, targets
from frontdesk.core.messages import (
    Attachment,
    Body,
    Contact,
    Entry,
    FilePart,
    ImagePart,
    Message,
    Note,
    Outgoing,
    Part,
    ReactionPart,
    Status,
    TextPart,
)

from .conftest import START, World, message

KIM = Contact(id="c1", name="Kim")


def said(id: str, *parts: Part, **more: Any) -> Message:
    return Message(id=id, channel="web", conversation="web:1", contact=KIM, parts=parts, at=START, **more)


def reply(id: str, text: str, author: str = "agent:Ana", **more: Any) -> Outgoing:
    return Outgoing(id=id, channel="web", conversation="web:1", contact=KIM, text=text, at=START, author=author, **more)


def entries(*bodies: Body, status: Status = "done", platform_id: str | None = None, first: int = 1) -> list[Entry]:
    return [Entry(seq=seq, body=body, status=status, platform_id=platform_id) for seq, body in enumerate(bodies, start=first)]


def test_an_edit_is_shown_at_the_message_that_it_changed() -> None:
    (line,) = lines(
        entries(said("m1", TextPart("the question"), revision="edited"), said("m1:edited:1", kind="edited", target="m1")), {}
    )
    assert (line.text, line.label) == ("the question", "edited")


def test_a_deletion_leaves_a_line_without_words() -> None:
    (line,) = lines(entries(said("m1", revision="deleted"), said("m1:deleted", kind="deleted", target="m1")), {})
    assert (line.text, line.label) == ("", "deleted")


def test_a_change_of_something_further_back_is_an_event_of_its_own() -> None:
    old = entries(said("m1", TextPart("when do you open?"), revision="edited"))[0]
    now = entries(
        said("e", kind="edited", target="m1"),
        said("d", kind="deleted", target="m0"),
        said("r", ReactionPart("👍"), kind="reaction", target="m1"),
        said("u", ReactionPart("👍", removed=True), kind="reaction", target="m1"),
        first=90,
    )
    assert targets(now) == {"m0", "m1"}
    assert [(line.side, line.event, line.author, line.text, line.quoted) for line in lines(now, {"m1": old})] == [
        ("mark", "edited", "Kim", "", "when do you open?"),
        ("mark", "deleted", "Kim", "", ""),
        ("mark", "reaction", "Kim", "👍", "when do you open?"),
        ("mark", "unreacted", "Kim", "👍", "when do you open?"),
    ]


def test_an_edit_of_something_that_is_not_in_the_record_is_shown_as_it_is() -> None:
    (line,) = lines(entries(said("e", TextPart("now in new words"), kind="edited", target="before-us")), {})
    assert (line.side, line.text, line.label) == ("customer", "now in new words", "edited")


@pytest.mark.parametrize(
    ("platform_id", "target"),
    [(None, "o1"), ("17", "telegram:bot:5:17"), ("16,17", "telegram:bot:5:17"), ("17.5", "slack:T:C:17.5")],
)
def test_reactions_are_shown_at_what_they_are_about(platform_id: str | None, target: str) -> None:
    bodies = entries(reply("o1", "Yes."), platform_id=platform_id, status="sent")
    reactions = [("👍", False), ("❤️", False), ("👍", False), ("👍", True), ("thumbsup", False), ("🎉", True)]
    bodies += entries(
        *(
            said(f"r{number}", ReactionPart(emoji, removed=removed), kind="reaction", target=target)
            for number, (emoji, removed) in enumerate(reactions)
        ),
        first=2,
    )
    (line,) = lines(bodies, {})
    assert line.reactions == ("👍", "❤️", ":thumbsup:")


def test_a_reaction_to_another_reply_is_not_shown_here() -> None:
    bodies = entries(reply("o1", "Yes."), platform_id="7", status="sent")
    bodies += entries(said("r", ReactionPart("👍"), kind="reaction", target="telegram:bot:5:17"), first=2)
    first, second = lines(bodies, {})
    assert (first.reactions, second.event) == ((), "reaction")


def test_pictures_of_an_album_belong_together() -> None:
    picture = ImagePart(Attachment(id="a", name="a.png", media_type="image/png", size=3))
    shown = lines(
        entries(
            said("m1", picture, group="g"),
            said("m2", picture, group="g"),
            said("m3", picture, group="h"),
            said("m4", TextPart("hi")),
            said("m5", TextPart("there")),
        ),
        {},
    )
    assert [line.joined for line in shown] == [False, True, False, False, False]


def test_only_the_last_own_reply_can_be_corrected() -> None:
    bodies = entries(
        reply("o1", "first"), reply("o2", "second"), reply("o3", "Ben's", author="agent:Ben"), reply("o4", "", author="bot")
    )
    assert [line.draft for line in lines(bodies, {}, agent="Ana")] == [None, "second", None, None]
    assert [line.draft for line in lines(bodies, {})] == [None] * 4
    assert last_own(entries(reply("o1", "first"), status="dead"), "Ana") is None


def test_a_corrected_reply_and_its_correction_are_marked() -> None:
    bodies = entries(reply("o1", "At nien."), reply("o2", "At nine.", replaces="o1"))
    assert [(line.label, line.draft) for line in lines(bodies, {}, agent="Ana")] == [
        ("corrected", None),
        ("correction", "At nine."),
    ]


def note(id: str, text: str, replaces: str | None = None) -> Note:
    return Note(id=id, conversation="web:1", text=text, author="agent:Ana", at=START, replaces=replaces)


def test_a_note_that_was_edited_is_shown_once_in_its_newest_version() -> None:
    bodies = entries(
        note("n1", "agnry"),
        said("m1", TextPart("hi")),
        note("n2", "angry", "n1"),
        note("n3", "very angry", "n2"),
        note("n4", "x"),
    )
    shown = [(line.seq, line.side, str(line.html or line.text).strip(), line.label) for line in lines(bodies, {})]
    assert shown == [
        (1, "note", '<p dir="auto">very angry</p>', "edited"),
        (2, "customer", "hi", ""),
        (5, "note", '<p dir="auto">x</p>', ""),
    ]
    (alone,) = lines(entries(note("n3", "very angry", "n2")), {})
    assert alone.label == "edited"


def test_who_is_not_named_by_an_event_is_named_by_what_is_known() -> None:
    nobody, other = Contact(id="c1"), Contact(id="c2")
    events = [
        msgspec.structs.replace(said("d", kind="deleted", target="m0"), contact=nobody),
        msgspec.structs.replace(said("m1", TextPart("hi")), contact=nobody),
        msgspec.structs.replace(said("m2", TextPart("ho")), contact=other),
    ]
    assert [line.author for line in lines(entries(*events), {}, contact=KIM)] == ["Kim", "Kim", ""]
    assert [line.author for line in lines(entries(*events, said("m3", TextPart("I am Kim"))), {})] == ["Kim", "Kim", "", "Kim"]


async def test_the_page_names_who_deleted_something(world: World) -> None:
    ana = await world.agent()
    gone = msgspec.structs.replace(said("d", kind="deleted", target="m0"), contact=Contact(id="c1"))
    await world.conversation("web:1", gone)
    await world.conversation("web:2", msgspec.structs.replace(gone, id="e", conversation="web:2"), contact=Contact(id="c1"))
    assert "Kim deleted an earlier message" in await (await ana.get("/desk/c/web%3A1")).text()
    assert "Visitor deleted an earlier message" in await (await ana.get("/desk/c/web%3A2")).text()


def test_the_list_says_the_last_words_that_are_still_there() -> None:
    bodies = entries(
        said("m1", TextPart("hello")),
        said("m2", revision="deleted"),
        said("x", kind="deleted", target="m2"),
        said("e", kind="edited", target="m1"),
    )
    last = last_words(bodies)
    assert (last.text, last.customer_seq) == ("hello", 4)
    assert last_words([*bodies, *entries(said("r", ReactionPart("🎉"), kind="reaction", target="m1"), first=5)]).text == "🎉"
    assert last_words(entries(said("m2", revision="deleted"))).customer_seq == 1


async def test_the_page_shows_changes_and_files_that_are_missing(world: World) -> None:
    ana = await world.agent()
    lost = Attachment(id="", name="film.mp4", media_type="video/mp4", size=0, remote="x", problem="larger than 20 MB")
    waiting = Attachment(id="", name="scan.pdf", media_type="application/pdf", size=9, remote="y")
    await world.conversation(
        "web:1",
        said("m1", TextPart("new words"), revision="edited"),
        said("m2", revision="deleted"),
        said("m3", FilePart(lost), FilePart(waiting)),
        said("m4", TextPart("I am away until Monday."), kind="automatic"),
        said("r", ReactionPart("👍"), kind="reaction", target="m1", public=True),
    )
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert '<span class="tag">edited</span>' in html
    assert "Deleted by the customer" in html
    assert "not received: larger than 20 MB" in html
    assert "not received yet" in html
    assert "/files/3/" not in html
    assert '<span class="tag">automatic</span>' in html
    assert '<span class="reaction">👍</span>' in html
    assert "Others read along" in html


async def test_what_was_changed_further_back_is_quoted(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:1", *(said(f"m{number}", TextPart(f"number {number}.")) for number in range(70)))
    await world.add("web:1", said("r", ReactionPart("👍"), kind="reaction", target="m1"))
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert "Kim reacted: <bdi>👍</bdi> “<bdi>number 1.</bdi>”" in html


async def test_words_of_another_conversation_are_not_quoted(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:2", msgspec.structs.replace(message("web:2", "a secret"), id="other"))
    await world.conversation("web:1", said("r", ReactionPart("👍"), kind="reaction", target="other"))
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert "Kim reacted: <bdi>👍</bdi> ·" in html


async def test_an_agent_corrects_the_last_reply(world: World) -> None:
    ana, ben = await world.agent(), await world.agent("ben", "Ben")
    await world.conversation()
    await ana.post("/desk/c/web%3A1/send", {"text": "At nien.", "nonce": "a" * 32})
    first = (await world.bodies())[-1].id
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert f'data-correct="{first}" data-text="At nien."' in html
    assert "data-text=" not in await (await ben.get("/desk/c/web%3A1")).text()

    for _ in range(2):
        answer = await ana.post("/desk/c/web%3A1/send", {"of": first, "text": "At nine.", "nonce": "b" * 32})
        assert answer.status == 200
    replies = [body for body in await world.bodies() if isinstance(body, Outgoing)]
    assert [(body.text, body.replaces) for body in replies] == [("At nien.", None), ("At nine.", first)]

    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert f'data-correct="{replies[1].id}"' in html
    assert html.count("data-text=") == 1


async def test_nobody_corrects_what_others_said_or_what_is_long_past(world: World) -> None:
    ana, ben = await world.agent(), await world.agent("ben", "Ben")
    await world.conversation("web:1", message("web:1", "hi"), reply("bot", "I am a bot.", author="bot"))
    await world.conversation("web:2", message("web:2", "hi"))
    for number in range(2):
        await ana.post("/desk/c/web%3A1/send", {"text": f"number {number}", "nonce": f"{number}" * 32})
    first, second = [body.id for body in await world.bodies() if isinstance(body, Outgoing) and body.author != "bot"]
    for browser, path, of in (
        (ana, "web%3A1", first),
        (ana, "web%3A1", "bot"),
        (ana, "web%3A1", "nothing"),
        (ana, "web%3A2", second),
        (ben, "web%3A1", second),
    ):
        answer = await browser.post(f"/desk/c/{path}/send", {"of": of, "text": "something else", "nonce": "c" * 32})
        assert answer.status == 400
        assert "Only your own last reply can be corrected" in await answer.text()
    assert not [body for body in await world.bodies() if isinstance(body, Outgoing) and body.replaces]


async def test_a_correction_carries_no_files(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    await ana.post("/desk/c/web%3A1/send", {"text": "first", "nonce": "a" * 32})
    form = FormData({"mode": "reply", "of": (await world.bodies())[-1].id, "text": "see"}, quote_fields=False)
    form.add_field("file", b"data", filename="a.txt", content_type="text/plain")
    assert (await ana.post("/desk/c/web%3A1/send", form)).status == 400
    assert not [path for path in world.attachments.folder.rglob("*") if path.is_file()]


async def test_what_was_refused_or_bounced_can_be_sent_again(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:1", message("web:1", "hi"), reply("o1", "first"), reply("o2", "second"))
    deliveries = world.store.deliveries()
    await (await anext(deliveries)).bury("the address is unknown")
    await (await anext(deliveries)).sent("p2")
    await world.store.bounced("o2", "550 mailbox full")
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert "Not delivered: the address is unknown" in html
    assert "Not delivered: 550 mailbox full" in html
    assert html.count("Send again") == 2
    seqs = {entry.body.id: entry.seq for entry in await world.store.transcript("web:1")}
    assert (await ana.post("/desk/c/web%3A1/again", {"seq": str(seqs["o1"])})).status == 204
    again = await anext(deliveries)
    assert again.outgoing.id == "o1"
    assert (await (await ana.get("/desk/c/web%3A1")).text()).count("Send again") == 1


async def test_only_dead_replies_of_this_conversation_are_sent_again(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:1", message("web:1", "hi"), reply("o1", "first"))
    await world.conversation("web:2")
    await (await anext(world.store.deliveries())).bury("no")
    seqs = {entry.body.id: entry.seq for entry in await world.store.transcript("web:1")}
    customers = next(seq for id, seq in seqs.items() if id != "o1")
    for path, seq in (("web%3A2", seqs["o1"]), ("web%3A1", customers), ("web%3A1", 999), ("web%3A1", "x"), ("none", seqs["o1"])):
        assert (await ana.post(f"/desk/c/{path}/again", {"seq": str(seq)})).status == 404
    (dead,) = await world.store.dead()
    assert dead.body.id == "o1"
