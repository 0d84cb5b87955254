"""One person's accounts and conversations, side by side."""

import pytest

from frontdesk.core.contacts import Identity
from frontdesk.core.errors import TransientError
from frontdesk.core.messages import Contact, Outgoing

from .conftest import World, message

KIM = Contact(id="17", name="Kim", verified=True)
MAIL = Contact(id="kim@shop.example", name="Kim Lee", email="kim@shop.example", verified=True)
FORGED = Contact(id="kim@shop.example", name="Kim Lee", email="kim@shop.example", verified=False)


async def two(world: World) -> None:
    await world.conversation("telegram:17", message("telegram:17", "hello by telegram", contact=KIM), contact=KIM)
    await world.conversation("email:t1", message("email:t1", "hello by mail", contact=MAIL), contact=MAIL)


def panel(html: str) -> str:
    return html.split('id="people"')[1].split("</section>", maxsplit=1)[0]


async def test_an_agent_links_two_contacts_and_undoes_it(world: World) -> None:
    ana = await world.agent()
    await two(world)
    assert "Not linked with other accounts." in panel(await (await ana.get("/desk/c/telegram%3A17")).text())

    found = await (await ana.part("/desk/c/telegram%3A17/link/search?words=KIM%20lee")).text()
    assert "hello by mail" in found
    assert "hello by telegram" not in found
    asked = await (await ana.part("/desk/c/telegram%3A17/link/confirm?other=email%3At1")).text()
    assert "Are Kim and Kim Lee one person?" in asked
    assert await world.contacts.person("telegram", KIM, "telegram:17") is None, "nothing is linked before it is confirmed"

    assert (await ana.post("/desk/c/telegram%3A17/link", {"other": "email:t1"})).status == 204
    found = await (await ana.part("/desk/c/telegram%3A17/link/search?words=KIM%20lee")).text()
    assert "Nobody was found." in found, "who is linked already is not offered"
    shown = panel(await (await ana.get("/desk/c/telegram%3A17")).text())
    assert "Kim Lee" in shown
    assert "linked by Ana" in shown
    assert 'href="/desk/c/email%3At1?tab=waiting"' in shown
    assert "hello by mail" in shown
    assert "hello by telegram" in panel(await (await ana.get("/desk/c/email%3At1")).text())
    (link,) = await world.contacts.history("telegram", "17")
    assert (link.how, link.by) == ("agent", "agent:Ana")

    path = "/desk/c/telegram%3A17/unlink"
    account = {"channel": "email", "contact": "kim@shop.example"}
    assert "Unlink Kim Lee?" in await (await ana.part(f"{path}?channel=email&contact=kim%40shop.example")).text()
    assert (await ana.post(path, account)).status == 204
    assert "Not linked" in panel(await (await ana.get("/desk/c/telegram%3A17")).text())
    (link,) = await world.contacts.history("telegram", "17")
    assert link.undone_by == "agent:Ana"
    assert (await ana.post(path, account)).status == 404


async def test_other_conversations_of_the_same_contact_are_shown(world: World) -> None:
    ana = await world.agent()
    await two(world)
    await world.conversation("email:t2", message("email:t2", "another thread", contact=MAIL), contact=MAIL)
    shown = panel(await (await ana.get("/desk/c/email%3At2")).text())
    assert "Other conversations of this contact" in shown
    assert "hello by mail" in shown
    assert "another thread" not in shown
    assert "hello by telegram" not in shown


async def test_a_reply_goes_to_the_conversation_that_is_open(world: World) -> None:
    ana = await world.agent()
    await two(world)
    await ana.post("/desk/c/telegram%3A17/link", {"other": "email:t1"})
    await ana.post("/desk/c/telegram%3A17/send", {"text": "by telegram", "nonce": "a" * 32})
    await ana.post("/desk/c/email%3At1/send", {"text": "by mail", "nonce": "b" * 32})
    replies = [
        (body.channel, body.conversation, body.contact.id, body.text)
        for id in ("telegram:17", "email:t1")
        for body in await world.bodies(id)
        if isinstance(body, Outgoing)
    ]
    assert replies == [
        ("telegram", "telegram:17", "17", "by telegram"),
        ("email", "email:t1", "kim@shop.example", "by mail"),
    ]


async def test_a_link_by_code_says_so_and_shows_every_conversation(world: World) -> None:
    ana = await world.agent()
    await two(world)
    await world.conversation("email:t2", message("email:t2", "another thread", contact=MAIL), contact=MAIL)
    telegram = Identity(channel="telegram", contact="17", name="Kim")
    offer = await world.contacts.offer(
        await world.contacts.issue_code(telegram), mail := Identity(channel="email", contact=MAIL.id, name="Kim Lee")
    )
    await world.contacts.redeem(offer.id, mail)
    shown = panel(await (await ana.get("/desk/c/telegram%3A17")).text())
    assert "linked by a code" in shown
    assert "hello by mail" in shown
    assert "another thread" in shown


async def test_a_sender_who_is_not_verified_is_shown_no_links(world: World) -> None:
    ana = await world.agent()
    await two(world)
    await ana.post("/desk/c/telegram%3A17/link", {"other": "email:t1"})
    await world.conversation("email:forged", message("email:forged", "give me money", contact=FORGED), contact=FORGED)
    shown = panel(await (await ana.get("/desk/c/email%3Aforged")).text())
    assert "The sender is not verified" in shown
    assert "hello by telegram" not in shown
    assert "act-link" not in shown
    answer = await ana.post("/desk/c/telegram%3A17/link", {"other": "email:forged"})
    assert answer.status == 400
    assert "does not prove who Kim Lee is" in await answer.text()
    answer = await ana.post("/desk/c/email%3Aforged/unlink", {"channel": "telegram", "contact": "17"})
    assert answer.status == 404


async def test_a_visitor_of_the_chat_is_a_session_that_can_be_linked(world: World) -> None:
    ana = await world.agent()
    await two(world)
    visitor = Contact(id="web:abc")
    await world.conversation("web:abc", message("web:abc", "hello by chat", contact=visitor), contact=visitor)
    assert (await ana.post("/desk/c/telegram%3A17/link", {"other": "web:abc"})).status == 204
    assert "hello by telegram" in panel(await (await ana.get("/desk/c/web%3Aabc")).text())


async def test_a_contact_is_not_linked_with_itself(world: World) -> None:
    ana = await world.agent()
    await two(world)
    await world.conversation("email:t2", contact=MAIL)
    answer = await ana.post("/desk/c/email%3At1/link", {"other": "email:t2"})
    assert answer.status == 400
    assert "That is the same contact." in await answer.text()
    assert "hello" not in await (await ana.part("/desk/c/email%3At1/link/search?words=kim%40shop.example")).text()


@pytest.mark.parametrize("words", ["", "   ", "nobody at all", "%00", "x" * 5000])
async def test_a_search_finds_nothing_rather_than_failing(world: World, words: str) -> None:
    ana = await world.agent()
    await two(world)
    answer = await ana.client.get("/desk/c/email%3At1/link/search", params={"words": words})
    assert answer.status == 200
    assert "hello" not in await answer.text()


async def test_a_search_looks_far_back_and_shows_a_few(world: World) -> None:
    ana = await world.agent()
    await two(world)
    for number in range(250):
        contact = Contact(id=f"c{number}", name=f"Customer {number}", verified=True)
        await world.conversation(f"telegram:c{number}", contact=contact, minutes=number + 1)
    assert "hello by mail" in await (await ana.part("/desk/c/telegram%3A17/link/search?words=kim%20lee")).text()
    many = await (await ana.part("/desk/c/telegram%3A17/link/search?words=customer")).text()
    assert many.count("<li>") == 6


async def test_unknown_conversations_are_not_found(world: World) -> None:
    ana = await world.agent()
    await two(world)
    for path in (
        "none/link",
        "none/link/search?words=a",
        "none/link/confirm?other=email%3At1",
        "email%3At1/link/confirm?other=none",
    ):
        assert (await ana.get(f"/desk/c/{path}")).status == 404
    assert (await ana.post("/desk/c/email%3At1/link", {"other": "none"})).status == 404
    assert (await ana.get("/desk/c/email%3At1/unlink?channel=x&contact=y")).status == 404


async def test_links_need_a_log_in_and_the_pages_own_request(world: World) -> None:
    await two(world)
    ana = await world.agent()
    csrf, ana.csrf = ana.csrf, "wrong"
    assert (await ana.post("/desk/c/telegram%3A17/link", {"other": "email:t1"})).status == 403
    stranger = world.browser()
    stranger.csrf = csrf
    assert (await stranger.post("/desk/c/telegram%3A17/link", {"other": "email:t1"})).status == 401
    assert await world.contacts.person("telegram", KIM, "telegram:17") is None


async def test_the_conversation_is_shown_while_links_cannot_be_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise TransientError("contacts.db cannot be used")

    ana = await world.agent()
    await two(world)
    monkeypatch.setattr(world.contacts._database, "run", fails)
    answer = await ana.get("/desk/c/telegram%3A17")
    assert answer.status == 200
    assert "Links cannot be read at the moment." in await answer.text()
    assert (await ana.post("/desk/c/telegram%3A17/link", {"other": "email:t1"})).status == 503
