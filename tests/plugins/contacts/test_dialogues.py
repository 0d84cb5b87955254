"""Whole conversations of one person on two channels."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest

from frontdesk.core.app import App, Options
from frontdesk.core.contacts import Contacts, Identity
from frontdesk.core.messages import ChoicePart, Contact, Message, Outgoing, TextPart
from frontdesk.core.outcomes import Escalate, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing import RecordingChannel
from frontdesk.core.testing.channel import NoSettings
from frontdesk.core.testing.platform import until
from frontdesk.core.text import Text
from frontdesk.core.turn import Turn
from frontdesk.plugins.contacts import plugin, words

LANGUAGES = ("en", "zh", "de", "fr", "es")

shop = Plugin("shop")


@shop.pattern("^I want a person$")
async def person(turn: Turn) -> Escalate:
    return Escalate("asked for")


@shop.pattern("^who am i$")
async def who(turn: Turn, contacts: Contacts) -> Reply:
    person = await contacts.person(turn.channel, turn.messages[-1].contact, turn.conversation)
    return Reply(", ".join(one.channel for one in person.identities) if person else "nobody I know")


class Telegram(RecordingChannel):
    name: ClassVar[str] = "telegram"


class Mail(RecordingChannel):
    name: ClassVar[str] = "email"


class Customer:
    """Somebody on one channel, in one thread of it."""

    def __init__(self, app: App, channel: str, contact: Contact, *, thread: str = "1") -> None:
        self._app = app
        self._channel = channel
        self.contact = contact
        self.conversation = f"{channel}:{contact.id}:{thread}"
        self.public = False

    async def says(self, text: str) -> list[str]:
        return [reply.text for reply in await self._write(TextPart(text))]

    async def presses(self, label: str) -> list[str]:
        asked = self._replies()[-1]
        choice = next(choice for choice in asked.choices if choice.label == label)
        replies = await self._write(ChoicePart(choice.value, question=asked.question, label=label))
        return [reply.text for reply in replies]

    async def is_not_answered(self, text: str) -> None:
        before = len(self._replies())
        await self._accept(TextPart(text))

        async def done() -> bool:
            return not (await self._app.store.health()).inbox

        await until(done)
        assert [reply.text for reply in self._replies()[before:]] == []

    async def hears(self, text: str) -> str:
        """What comes without being asked for."""
        await until(lambda: any(text in reply.text for reply in self._replies()))
        return next(reply.text for reply in reversed(self._replies()) if text in reply.text)

    async def _write(self, part: TextPart | ChoicePart) -> list[Outgoing]:
        channel = self._app.channels[self._channel]
        assert isinstance(channel, RecordingChannel)
        before = len(channel.sent)
        await self._accept(part)
        await channel.wait_for(before + 1)
        assert all(reply.conversation == self.conversation for reply in channel.sent[before:])
        return channel.sent[before:]

    async def _accept(self, part: TextPart | ChoicePart) -> None:
        await self._app.intake.accept(
            Message(
                id=f"{self.conversation}:{uuid4().hex}",
                channel=self._channel,
                conversation=self.conversation,
                contact=self.contact,
                parts=(part,),
                at=datetime.now(UTC),
                public=self.public,
            )
        )

    def _replies(self) -> list[Outgoing]:
        channel = self._app.channels[self._channel]
        assert isinstance(channel, RecordingChannel)
        return [reply for reply in channel.sent if reply.conversation == self.conversation]


@pytest.fixture
def languages() -> Sequence[str]:
    return ("en",)


@pytest.fixture
async def app(tmp_path: Path, languages: Sequence[str]) -> AsyncIterator[App]:
    app = App(
        Options(data_folder=tmp_path, languages=languages, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[plugin, shop],
        transports=[(Telegram, NoSettings()), (Mail, NoSettings())],
        serve=False,
    )
    async with app:
        yield app


@pytest.fixture
def telegram(app: App) -> Customer:
    return Customer(app, "telegram", Contact(id="17", name="Ann Lee", verified=True))


@pytest.fixture
def mail(app: App) -> Customer:
    return Customer(app, "email", Contact(id="ann@shop.example", name="A. Lee", verified=True))


def code_in(text: str) -> str:
    found = re.search(r"`link (\w{4}-\w{4})`", text)
    assert found, text
    return found[1]


async def linked(telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("/link")
    await mail.says(f"/link {code_in(shown)}")
    (done,) = await mail.presses("Yes")
    assert done.startswith("Done.")
    await telegram.hears("Your code was used")


async def test_a_code_from_one_channel_links_the_other(app: App, telegram: Customer, mail: Customer) -> None:
    assert await mail.says("who am i") == ["nobody I know"]
    (shown,) = await telegram.says("/link")
    assert "within 15 minutes" in shown
    (asked,) = await mail.says(f"/link {code_in(shown)}\n\n-- \nAnn Lee\nShop Ltd.")
    assert asked.startswith("The code was made by Telegram (A•• L••). Shall I link")
    assert await mail.says("who am i") != ["email, telegram"]
    (done,) = await mail.presses("Yes")
    assert done == (
        "Done. This account is linked with Telegram (A•• L••). You are still answered wherever you ask. `unlink` undoes it."
    )
    assert await telegram.hears("Your code was used") == (
        "Your code was used: this account is now linked with e-mail (a••@s••.example). If that was not you, `unlink` undoes it."
    )
    assert await mail.says("who am i") == ["email, telegram"]
    assert await telegram.says("who am i") == ["email, telegram"]


@pytest.mark.parametrize("owner", ["queue", "agent"])
async def test_links_are_made_and_undone_while_a_person_has_the_conversation(
    app: App, telegram: Customer, mail: Customer, owner: str
) -> None:
    for customer in (telegram, mail):
        await customer.says("I want a person")
        if owner == "agent":
            await app.handoff.take(customer.conversation, "Ana")
    await linked(telegram, mail)
    await mail.says("unlink")
    assert await mail.says("yes") == ["This account stands alone again."]
    state = await app.store.conversation(mail.conversation)
    assert state is not None
    assert (state.owner, state.question) == (owner, None)


async def test_a_yes_to_the_agent_links_nothing(app: App, telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("/link")
    await mail.says("I want a person")
    (asked,) = await mail.says(f"/link {code_in(shown)}")
    assert "Shall I link" in asked
    await app.handoff.take(mail.conversation, "Ana")
    await app.handoff.reply(mail.conversation, "Ana", "Hello, shall I send it again?")
    await mail.hears("shall I send it again?")
    await mail.is_not_answered("yes")
    assert await telegram.says("who am i") == ["nobody I know"]


async def test_ordinary_words_are_for_the_person_who_has_the_conversation(app: App, telegram: Customer) -> None:
    await telegram.says("I want a person")
    for text in ("who am i", "/help", "/start", "/nonsense", "the link", "unlink me", "yes"):
        await telegram.is_not_answered(text)


async def test_a_reply_goes_to_the_channel_and_thread_of_the_question(app: App, telegram: Customer, mail: Customer) -> None:
    await linked(telegram, mail)
    other = Customer(app, "email", mail.contact, thread="2")
    for customer in (telegram, mail, other, telegram):
        await customer.says("who am i")  # it asserts where the reply went
    sent = {name: channel.sent for name, channel in app.channels.items() if isinstance(channel, RecordingChannel)}
    assert {reply.conversation for reply in sent["telegram"]} == {"telegram:17:1"}
    assert {reply.conversation for reply in sent["email"]} == {"email:ann@shop.example:1", "email:ann@shop.example:2"}
    assert all(reply.contact.id == "17" for reply in sent["telegram"])


async def test_the_slash_may_be_left_out(app: App, telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("Link")
    (asked,) = await mail.says(f"Link {code_in(shown).lower()}\nAnn")
    assert "Shall I link" in asked
    await mail.says("yes")
    (asked,) = await mail.says("unlink")
    assert "Shall I undo that?" in asked


@pytest.mark.parametrize("text", ["link me to your shop", "unlink the chain", "the link ABCD-2345 is broken"])
async def test_words_that_only_look_like_it_are_something_else(app: App, mail: Customer, text: str) -> None:
    (reply,) = await mail.says(text)
    assert "code" not in reply
    assert "linked" not in reply


async def test_nothing_is_linked_without_a_yes(app: App, telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("/link")
    await mail.says(f"/link {code_in(shown)}")
    assert await mail.presses("No") == ["All right, nothing was linked."]
    assert await mail.says("who am i") == ["nobody I know"]


async def test_a_link_is_undone_from_either_side(app: App, telegram: Customer, mail: Customer) -> None:
    await linked(telegram, mail)
    (asked,) = await telegram.says("/unlink")
    assert asked == "This account is linked with e-mail (a••@s••.example). Shall I undo that?"
    assert await telegram.presses("Yes") == ["This account stands alone again."]
    assert await mail.says("who am i") == ["nobody I know"]
    assert await mail.says("/unlink") == ["This account is not linked with any other."]
    (link,) = await app.contacts.history("telegram", "17")
    assert (link.how, link.by, link.undone_by) == ("code", "email", "telegram")


async def test_a_sender_who_is_not_verified_cannot_use_or_change_a_link(app: App, telegram: Customer, mail: Customer) -> None:
    """The same address, in a mail that fails DMARC."""
    await linked(telegram, mail)
    forger = Customer(app, "email", Contact(id="ann@shop.example", name="A. Lee", verified=False), thread="forged")
    assert await forger.says("who am i") == ["nobody I know"]
    for text in ("/link", "/link ABCD-2345", "/unlink"):
        (refused,) = await forger.says(text)
        assert "does not prove that it comes from you" in refused
    assert await mail.says("who am i") == ["email, telegram"]


async def test_a_forged_mail_in_the_thread_cannot_confirm(app: App, telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("/link")
    await mail.says(f"/link {code_in(shown)}")
    mail.contact = Contact(id="ann@shop.example", verified=False)
    (refused,) = await mail.says("yes")
    assert "does not prove that it comes from you" in refused
    assert await telegram.says("who am i") == ["nobody I know"]


async def test_only_who_wrote_the_code_can_confirm(app: App, telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("/link")
    await mail.says(f"/link {code_in(shown)}")
    mail.contact = Contact(id="bob@shop.example", verified=True)
    (refused,) = await mail.says("yes")
    assert "not valid" in refused
    assert await telegram.says("who am i") == ["nobody I know"]


async def test_no_code_is_shown_where_others_read_along(app: App, telegram: Customer) -> None:
    telegram.public = True
    (refused,) = await telegram.says("/link")
    assert "private conversation" in refused


@pytest.mark.parametrize(("text", "said"), [("/link 17", "That is no code"), ("/link ABCD-2345", "not valid")])
async def test_wrong_codes(app: App, mail: Customer, text: str, said: str) -> None:
    (refused,) = await mail.says(text)
    assert said in refused


async def test_guessing_ends_soon(app: App, mail: Customer) -> None:
    for _ in range(5):
        await mail.says("/link ABCD-2345")
    assert await mail.says("/link ABCD-2345") == ["That was tried too often. Please try again in 60 minutes."]


async def test_ones_own_code_and_a_second_link(app: App, telegram: Customer, mail: Customer) -> None:
    (shown,) = await telegram.says("/link")
    (refused,) = await telegram.says(f"/link {code_in(shown)}")
    assert "from the account that you are writing from" not in refused
    assert "Write it on your other channel." in refused
    await linked(telegram, mail)
    (shown,) = await telegram.says("/link")
    assert shown.endswith("This account is linked with e-mail (a••@s••.example).")
    assert await mail.says(f"/link {code_in(shown)}") == ["These accounts are linked already."]


@pytest.mark.parametrize("languages", [LANGUAGES])
@pytest.mark.parametrize(
    ("language", "within", "asked", "yes", "done", "unlinked"),
    [
        ("zh", "15 分钟", "该验证码来自Telegram", "是", "完成。", "此账号已取消关联。"),
        (
            "de",
            "innerhalb von 15 Minuten",
            "Der Code stammt von Telegram",
            "Ja",
            "Erledigt.",
            "Dieses Konto steht wieder für sich.",
        ),
        (
            "fr",
            "dans les 15 minutes",
            "Le code vient de Telegram",
            "Oui",
            "C'est fait.",
            "Ce compte n'est plus relié à aucun autre.",
        ),
        ("es", "15 minutos", "El código es de Telegram", "Sí", "Hecho.", "Esta cuenta ya no está vinculada con ninguna otra."),
    ],
)
async def test_it_speaks_the_customers_language(
    app: App, telegram: Customer, mail: Customer, language: str, within: str, asked: str, yes: str, done: str, unlinked: str
) -> None:
    for customer in (telegram, mail):
        await customer.says(f"/language {language}")
    (shown,) = await telegram.says("/link")
    assert within in shown
    (question,) = await mail.says(f"/link {code_in(shown)}")
    assert question.startswith(asked)
    (answer,) = await mail.presses(yes)
    assert answer.startswith(done)
    await mail.says("/unlink")
    assert await mail.presses(yes) == [unlinked]


def test_all_words_are_there_in_all_languages() -> None:
    texts = [text for text in [*vars(words).values(), *words.REFUSALS.values()] if isinstance(text, Text)]
    assert len(texts) > 15
    for text in texts:
        assert set(text) == set(LANGUAGES)
        fields = {frozenset(re.findall(r"\{\w+\}", said)) for said in text.values()}
        assert len(fields) == 1, "every language names the same things"


@pytest.mark.parametrize(
    ("channel", "contact", "name", "shown"),
    [
        ("telegram", "17", "Ann Lee", "Telegram (A•• L••)"),
        ("telegram", "17", "王小明", "Telegram (王••)"),
        ("telegram", "17", "*_[x](http://evil)", "Telegram (••)"),
        ("telegram", "17", None, "Telegram"),
        ("email", "ann@shop.example", "Ann", "e-mail (a••@s••.example)"),
        ("email", "@", None, "e-mail (••@••)"),
        ("web", "web:abc", None, "the chat on our website"),
        ("pigeon", "1", "Bo", "pigeon (B••)"),
    ],
)
def test_names_are_masked(channel: str, contact: str, name: str | None, shown: str) -> None:
    assert words.account(Identity(channel=channel, contact=contact, name=name), "en") == shown
