from datetime import timedelta
from typing import Any

import pytest
from aiohttp import FormData
from yarl import URL

from frontdesk.core.conversations import Filled, Form, Handoff, Question
from frontdesk.core.messages import (
    AudioPart,
    ChoicePart,
    Contact,
    FilePart,
    ImagePart,
    LocationPart,
    Mark,
    Note,
    Outgoing,
    Source,
)

from .conftest import START, World, message

SCRIPT = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


def outgoing(text: str, id: str = "o1", conversation: str = "web:1", **more: Any) -> Outgoing:
    return Outgoing(id=id, channel="web", conversation=conversation, contact=Contact(id="c1"), text=text, at=START, **more)


async def test_an_unknown_conversation_is_a_page_that_says_so(world: World) -> None:
    ana = await world.agent()
    for path in ("/desk/c/none", "/desk/c/none/live", "/desk/c/none/older", "/desk/c/..%2f..%2fetc", "/desk/elsewhere"):
        answer = await ana.get(path)
        assert answer.status == 404
        assert "There is no such page or conversation." in await answer.text()
    for act in ("take", "give_back", "resolve", "send", "typing"):
        assert (await ana.post(f"/desk/c/none/{act}", {"text": "hi"})).status == 404


async def test_ids_may_hold_any_character(world: World) -> None:
    ana = await world.agent()
    id = 'email:<a/b?c#d%2F"e@example.org>'
    await world.conversation(id)
    page = await (await ana.get("/desk?tab=bot")).text()
    path = page.split('<li id="row-')[1].split('href="')[1].split('"')[0]
    answer = await ana.client.get(URL(path, encoded=True), allow_redirects=False)
    assert answer.status == 200
    assert 'aria-current="true"' in await answer.text()


@pytest.mark.parametrize("path", ["/desk?tab=waiting", "/desk/c/web%3A1?tab=waiting", "/desk/c/web%3A1/live?first=1"])
async def test_script_in_messages_and_names_is_text(world: World, path: str) -> None:
    ana = await world.agent()
    source = Source(title=SCRIPT, text=SCRIPT, url="javascript:alert(1)")
    await world.conversation(
        "web:1",
        message("web:1", SCRIPT, ChoicePart("v", label=SCRIPT), contact=Contact(id=SCRIPT, name=SCRIPT)),
        outgoing(f"{SCRIPT} [link](javascript:alert(1)) ![i](https://evil.example/i.png)", sources=(source,)),
        Note(id="n1", conversation="web:1", text=SCRIPT, author=f"agent:{SCRIPT}", at=START),
        Mark(id="k1", conversation="web:1", event="escalated", at=START, reason=SCRIPT),
        contact=Contact(id=SCRIPT, name=SCRIPT, email=SCRIPT),
        owner="queue",
        handoff=Handoff(reason=SCRIPT, at=START, summary=SCRIPT),
        form=Form(plugin="p", intent=SCRIPT, slots={SCRIPT: Filled(value=SCRIPT, text=SCRIPT)}),
        question=Question(id="q", kind="free", plugin="p", step="s", text=SCRIPT, expires=START),
    )
    html = await (await ana.get(path)).text()
    assert "alert" in html
    assert "<script>" not in html
    assert "<img src=x" not in html
    assert 'href="javascript' not in html
    assert 'src="https://evil' not in html


async def test_the_conversation_shows_who_said_what(world: World) -> None:
    ana = await world.agent()
    await world.conversation(
        "web:1",
        message("web:1", "two\nlines **not bold**"),
        outgoing("**bold** answer"),
        outgoing("by hand", id="o2", author="agent:Ben"),
        Note(id="n1", conversation="web:1", text="a _note_", author="agent:Ben", at=START),
        Mark(id="k1", conversation="web:1", event="escalated", at=START, reason="asked for a person"),
        message("web:1", "", LocationPart(52.5, 13.4, "Berlin")),
    )
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert "two\nlines **not bold**</p>" in html
    assert "<strong>bold</strong> answer" in html
    assert 'class="line customer"' in html
    assert 'class="line bot"' in html
    assert 'class="line agent"' in html
    assert 'class="line note"' in html
    assert "Internal note by Ben" in html
    assert "Handed over to a person: <bdi>asked for a person</bdi>" in html
    assert "Berlin (52.50000, 13.40000)" in html


async def test_the_context_shows_what_the_bot_knew(world: World) -> None:
    ana = await world.agent()
    await world.conversation(
        "web:1",
        message("web:1", "hi"),
        outgoing(
            "see there", sources=(Source(title="Refunds", url="https://shop.example/r", text="Within 14 days.", score=0.9),)
        ),
        contact=Contact(id="c1", name="Kim", email="kim@example.org", phone="+4930123", verified=True),
        owner="queue",
        language="de",
        failures=2,
        handoff=Handoff(reason="above the limit", at=START, summary="wants money back"),
        form=Form(plugin="orders", intent="refund", slots={"order_id": Filled(value="A-1", text="a 1")}),
        question=Question(id="q", kind="confirm", plugin="p", step="s", text="Really?", expires=START),
    )
    html = await (await ana.get("/desk/c/web%3A1")).text()
    context = html[html.index('<aside class="context"') :]
    about = ["above the limit", "wants money back", "kim@example.org", "+4930123", "Verified", "de", ">2<"]
    matter = ["orders.refund", "order_id", "a 1", "A-1", "Really?"]
    article = ["Refunds", "Within 14 days.", "https://shop.example/r", "0.90"]
    for shown in about + matter + article:
        assert shown in context


async def test_replies_show_how_their_delivery_goes(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:1", message("web:1", "hi"), outgoing("first"))
    await world.add("web:1", outgoing("second", id="o2"), outgoing("third", id="o3"))
    entries = {entry.body.id: entry for entry in await world.store.transcript("web:1")}

    deliveries = world.store.deliveries()
    await (await anext(deliveries)).sent("p1")
    await (await anext(deliveries)).bury("the address is unknown")
    html = await (await ana.get("/desk/c/web%3A1")).text()

    def state(id: str) -> str:
        return html.split(f'id="line-{entries[id].seq}"')[1].split("<footer")[1].split("</footer>")[0]

    assert "Sent" in state("o1")
    assert "Not delivered: the address is unknown" in state("o2")
    assert "Sending" in state("o3")


async def test_taking_replying_returning_resolving(world: World) -> None:
    ana = await world.agent()
    await world.conversation(owner="queue", handoff=Handoff(reason="r", at=START))

    assert (await ana.post("/desk/c/web%3A1/take")).status == 204
    state = await world.store.conversation("web:1")
    assert state is not None
    assert (state.owner, state.agent) == ("agent", "Ana")

    answer = await ana.post("/desk/c/web%3A1/send", {"mode": "reply", "text": "Hello *Kim*", "nonce": "a" * 32})
    assert answer.status == 200
    assert 'name="nonce"' in await answer.text()
    reply = (await world.bodies())[-1]
    assert isinstance(reply, Outgoing)
    assert (reply.text, reply.author) == ("Hello *Kim*", "agent:Ana")

    assert (await ana.post("/desk/c/web%3A1/give_back")).status == 204
    state = await world.store.conversation("web:1")
    assert state is not None
    assert state.owner == "bot"

    assert (await ana.post("/desk/c/web%3A1/resolve")).status == 204
    state = await world.store.conversation("web:1")
    assert state is not None
    assert state.resolved
    events = [body.event for body in await world.bodies() if isinstance(body, Mark)]
    assert events == ["taken", "returned", "resolved"]


async def test_the_same_reply_sent_twice_is_one(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    for _ in range(2):
        assert (await ana.post("/desk/c/web%3A1/send", {"text": "once", "nonce": "b" * 32})).status == 200
    assert [body.text for body in await world.bodies() if isinstance(body, Outgoing)] == ["once"]


async def test_a_note_is_never_sent(world: World) -> None:
    ana = await world.agent()
    await world.conversation(owner="agent", agent="Ben")
    answer = await ana.post("/desk/c/web%3A1/send", {"mode": "note", "text": "he is angry", "nonce": "c" * 32})
    assert answer.status == 200
    bodies = await world.bodies()
    assert [type(body) for body in bodies[1:]] == [Note]
    state = await world.store.conversation("web:1")
    assert state is not None
    assert (state.owner, state.agent) == ("agent", "Ben")


async def test_a_note_with_a_file_is_refused(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    form = FormData({"mode": "note", "text": "look"})
    form.add_field("file", b"data", filename="a.txt", content_type="text/plain")
    assert (await ana.post("/desk/c/web%3A1/send", form)).status == 400
    assert len(await world.bodies()) == 1


@pytest.mark.parametrize(("text", "status"), [("", 400), ("  \n ", 400), ("x" * 20_001, 413)])
async def test_empty_and_endless_replies_are_refused(world: World, text: str, status: int) -> None:
    ana = await world.agent()
    before = await world.conversation()
    answer = await ana.post("/desk/c/web%3A1/send", {"text": text})
    assert answer.status == status
    assert answer.content_type == "text/plain"
    assert await world.store.conversation("web:1") == before


async def test_two_agents_do_not_take_from_each_other_by_accident(world: World) -> None:
    ana, ben = await world.agent(), await world.agent("ben", "Ben")
    await world.conversation()
    await ana.post("/desk/c/web%3A1/take")

    for act, fields in (("take", {}), ("resolve", {}), ("give_back", {}), ("send", {"text": "hi"}), ("take", {"over": "Cem"})):
        answer = await ben.post(f"/desk/c/web%3A1/{act}", fields)
        assert answer.status == 409
        assert "Ana has this conversation" in await answer.text()
    state = await world.store.conversation("web:1")
    assert state is not None
    assert state.agent == "Ana"
    assert not [body for body in await world.bodies() if isinstance(body, Outgoing)]
    assert "Ana has it" in await (await ben.get("/desk/c/web%3A1")).text()

    assert (await ben.post("/desk/c/web%3A1/take", {"over": "Ana"})).status == 204
    assert "Ben has it" in await (await ana.get("/desk/c/web%3A1")).text()
    assert (await ana.post("/desk/c/web%3A1/send", {"text": "mine again", "over": "Ben"})).status == 200


async def test_files_of_a_refused_reply_are_not_kept(world: World) -> None:
    ana = await world.agent()
    await world.conversation(owner="agent", agent="Ben")
    form = FormData({"mode": "reply", "over": "", "text": "see"})
    form.add_field("file", b"data", filename="a.txt", content_type="text/plain")
    assert (await ana.post("/desk/c/web%3A1/send", form)).status == 409
    assert not [path for path in world.attachments.folder.rglob("*") if path.is_file()]


async def test_a_reply_carries_files(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    form = FormData({"mode": "reply", "over": "", "nonce": "d" * 32, "text": "see"}, quote_fields=False)
    form.add_field("file", b"data", filename="../../etc/übel.txt", content_type="text/plain")
    assert (await ana.post("/desk/c/web%3A1/send", form)).status == 200
    reply = (await world.bodies())[-1]
    assert isinstance(reply, Outgoing)
    (attachment,) = reply.attachments
    assert (attachment.name, attachment.size) == ("übel.txt", 4)
    assert world.attachments.path(attachment.id).read_bytes() == b"data"


async def test_files_are_shown_or_downloaded_safely(world: World) -> None:
    ana = await world.agent()
    picture = await world.save(b"\x89PNG", "a.png", "image/png")
    page = await world.save(b"<script>alert(1)</script>", 'ev"il\n.html', "text/html")
    drawing = await world.save(b"<svg onload=alert(1)>", "b.svg", "image/svg+xml")
    voice = await world.save(b"OggS", "v.ogg", "audio/ogg")
    await world.conversation(
        "web:1",
        message("web:1", "", ImagePart(picture), FilePart(page), ImagePart(drawing), AudioPart(voice, transcript="hello there")),
    )
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert html.count('<img src="/desk/c/') == 1
    assert "hello there" in html

    async def fetch(id: str) -> Any:
        answer = await ana.get(f"/desk/c/web%3A1/files/1/{id}")
        assert answer.status == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        return answer

    shown = await fetch(picture.id)
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert await shown.read() == b"\x89PNG"
    for dangerous in (page, drawing):
        answer = await fetch(dangerous.id)
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")


async def test_files_belong_to_their_conversation(world: World) -> None:
    ana = await world.agent()
    mine, other = await world.save(b"a", "a.txt", "text/plain"), await world.save(b"b", "b.txt", "text/plain")
    await world.conversation("web:1", message("web:1", "", FilePart(mine)))
    await world.conversation("web:2", message("web:2", "", FilePart(other)))
    assert (await ana.get(f"/desk/c/web%3A1/files/1/{mine.id}")).status == 200
    for path in (
        f"/desk/c/web%3A1/files/1/{other.id}",
        f"/desk/c/web%3A1/files/2/{other.id}",
        f"/desk/c/web%3A2/files/1/{mine.id}",
        "/desk/c/web%3A1/files/1/..%2F..%2Fdesk.sqlite",
        "/desk/c/web%3A1/files/1/%2Fetc%2Fpasswd",
        f"/desk/c/web%3A1/files/-1/{mine.id}",
        f"/desk/c/web%3A1/files/{'9' * 30}/{mine.id}",
        f"/desk/c/none/files/1/{mine.id}",
    ):
        assert (await ana.get(path)).status == 404
    world.attachments.path(mine.id).unlink()
    assert (await ana.get(f"/desk/c/web%3A1/files/1/{mine.id}")).status == 404


async def test_older_entries_come_page_by_page_and_live_ones_keep_them(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:1", *(message("web:1", f"number {number}.") for number in range(1, 151)))
    page = await (await ana.get("/desk/c/web%3A1")).text()
    assert "number 150." in page
    assert "number 91." in page
    assert "number 90." not in page
    assert "/older?before=91" in page

    older = await (await ana.part("/desk/c/web%3A1/older?before=91")).text()
    assert "number 90." in older
    assert "number 31." in older
    assert "/older?before=31" in older
    last = await (await ana.part("/desk/c/web%3A1/older?before=31")).text()
    assert "number 1." in last
    assert "older?before" not in last

    await world.add("web:1", message("web:1", "brand new"))
    live = await (await ana.part("/desk/c/web%3A1/live?first=91")).text()
    assert "number 91." in live
    assert "brand new" in live
    assert "number 90." not in live
    assert 'hx-target="#head"' in live
    assert 'hx-target="#context"' in live


async def test_live_updates_never_touch_the_composer(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    live = await (await ana.part("/desk/c/web%3A1/live?first=1")).text()
    assert "<textarea" not in live
    assert "<form" not in live


async def test_those_who_wait_longest_come_first(world: World) -> None:
    ana = await world.agent()
    for number, minutes in enumerate((5, 1, 3)):
        handoff = Handoff(reason=f"reason {number}", at=START + timedelta(minutes=minutes))
        await world.conversation(f"web:{number}", owner="queue", handoff=handoff, minutes=10 - minutes)
    html = await (await ana.part("/desk/inbox")).text()
    order = [html.index(f'id="row-web:{number}"') for number in (1, 2, 0)]
    assert order == sorted(order)
    assert "reason 1" in html
    assert 'data-waiting="3"' in html


async def test_each_tab_has_its_own_conversations(world: World) -> None:
    ana = await world.agent()
    await world.conversation("web:bot")
    await world.conversation("web:queue", owner="queue")
    await world.conversation("web:mine", owner="agent", agent="Ana")
    await world.conversation("web:bens", owner="agent", agent="Ben")
    wanted = {"waiting": {"queue"}, "mine": {"mine"}, "bot": {"bot"}, "all": {"mine", "bens"}, "nonsense": {"queue"}}
    for tab, ids in wanted.items():
        html = await (await ana.part("/desk/inbox", page=f"/desk?tab={tab}")).text()
        assert {id for id in ("bot", "queue", "mine", "bens") if f'id="row-web:{id}"' in html} == ids


async def test_the_list_grows_on_demand(world: World) -> None:
    ana = await world.agent()
    for number in range(60):
        await world.conversation(f"web:{number}", minutes=number)
    first = await (await ana.part("/desk/inbox", page="/desk?tab=bot")).text()
    assert first.count('class="row') - first.count('class="rows"') == 50
    assert "limit=100" in first
    rest = await (await ana.part("/desk/inbox?limit=100", page="/desk?tab=bot")).text()
    assert rest.count("data-id=") == 60


async def test_unread_until_the_agent_has_seen_it(world: World) -> None:
    ana, ben = await world.agent(), await world.agent("ben", "Ben")
    await world.conversation(owner="queue")

    async def unread(browser: Any) -> bool:
        return 'class="row unread"' in await (await browser.part("/desk/inbox")).text()

    assert await unread(ana)
    await ana.get("/desk/c/web%3A1")
    assert not await unread(ana)
    assert await unread(ben)
    await world.add("web:1", message("web:1", "still there?"))
    state = await world.store.conversation("web:1")
    assert state is not None
    await world.store.commit(state, ())
    assert await unread(ana)


async def test_a_broken_form_is_refused(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    answer = await ana.client.post(
        "/desk/c/web%3A1/send",
        data=b"--x\r\nbroken",
        headers={"Content-Type": "multipart/form-data; boundary=y", "X-CSRF-Token": ana.csrf, "HX-Request": "true"},
    )
    assert answer.status == 400
    assert len(await world.bodies()) == 1


async def test_the_whole_of_a_message_is_shown_where_the_transcript_has_a_part_of_it(world: World) -> None:
    ana = await world.agent()
    mail, plain = message("email:1", "Only what is new"), message("email:1", "Nothing more")
    world.wholes[mail.id] = "From: Kim\n\nOnly what is new\n> <b>what was said before</b>"
    await world.conversation("email:1", mail, plain)
    html = await (await ana.get("/desk/c/email:1")).text()
    assert html.count("The whole message") == 1
    assert "&gt; &lt;b&gt;what was said before&lt;/b&gt;" in html
