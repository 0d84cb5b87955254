"""The channel as a whole: what is answered, what is only recorded, and who is written to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from frontdesk.channels.email import EmailChannel, EmailSettings
from frontdesk.core.errors import ConfigurationError, DeliveryDeferred, DeliveryRejected, Unavailable
from frontdesk.core.events import Delivered
from frontdesk.core.messages import Attachment, Contact, Entry, FilePart, Message, Outgoing
from frontdesk.core.store import Receipt
from frontdesk.core.testing.platform import until
from frontdesk.testing.mail import MailServer

from .platforms import parsed
from .running import ANN, BOB, BOT, PASSWORDS, Bot, Start, an_app, local
from .servers import RealMail

REPORT = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.home.example>
To: support@shop.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce-{number}@mx.home.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.home.example

Final-Recipient: rfc822; ann@home.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} <ann@home.example>: mailbox unavailable

--b
Content-Type: message/rfc822

From: support@shop.example
To: ann@home.example
Subject: Re: question
Message-ID: {original}

words
--b--
"""


async def test_an_answer_is_a_proper_answer(bot: Start) -> None:
    async with bot() as bot:
        bot.write(Subject="A question", References="<earlier@home.example>")
        (answer,) = await bot.answered(1)
        assert str(answer["From"]) == "Shop support <support@shop.example>"
        assert str(answer["To"]) == ANN
        assert str(answer["Subject"]) == "Re: A question"
        assert str(answer["In-Reply-To"]) == "<1@home.example>"
        assert str(answer["References"]) == "<earlier@home.example> <1@home.example>"
        assert str(answer["Auto-Submitted"]) == "auto-replied"
        assert answer["Reply-To"] is None
        (received,) = bot.server.smtp.received
        assert received.sender == BOT
        (entry,) = [entry for entry in await transcript(bot) if isinstance(entry.body, Outgoing)]
        assert entry.platform_id == str(answer["Message-ID"])


async def test_the_same_reply_has_the_same_id_at_every_try(bot: Start) -> None:
    async with bot() as bot:
        bot.server.smtp.refuse("cut", at="end", times=2)
        tried: list[bytes] = []
        send = bot.channel._mailers[BOT].send

        async def watched(envelope: Any) -> None:
            tried.append(b"".join(envelope.chunks()))
            await send(envelope)

        bot.channel._mailers[BOT].send = watched
        bot.write()
        await bot.answered(1)
        assert len(tried) == 3
        assert len(set(tried)) == 1


async def test_an_agent_answers_under_their_name(bot: Start) -> None:
    async with bot() as bot:
        bot.write()
        await bot.answered(1)
        (state,) = await bot.store.conversations()
        await bot.app.handoff.reply(state.id, "Alma Agent", "A person here.")
        answer = (await bot.answered(2))[-1]
        assert answer["From"].addresses[0].display_name == "Alma Agent (Shop support)"
        assert answer["From"].addresses[0].addr_spec == BOT
        assert answer["Auto-Submitted"] is None


async def test_a_reply_comes_from_the_mailbox_that_was_written_to(server: MailServer, bot: Start) -> None:
    sales = "sales@shop.example"
    server.accounts[sales] = type(server.accounts[BOT])(sales, PASSWORDS[BOT])
    async with bot(address=None, mailboxes=[{"address": BOT}, {"address": sales, "name": "Sales"}]) as bot:
        bot.write("to sales", to=sales)
        bot.write("to support", sender=BOB)
        (answer,) = await bot.answered(1)
        assert str(answer["From"]) == "Sales <sales@shop.example>"
        (answer,) = await bot.answered(1, BOB)
        assert str(answer["From"]) == "Shop support <support@shop.example>"


async def test_a_bounce_makes_the_reply_a_dead_letter(bot: Start) -> None:
    async with bot() as bot:
        bot.write()
        (answer,) = await bot.answered(1)
        with bot.app.events.subscribe() as events:
            bounce(bot, str(answer["Message-ID"]).upper())
            await until(dead(bot))
            event = await events.get()
        (entry,) = await bot.dead()
        assert isinstance(event, Delivered)
        assert (event.id, event.error) == (entry.body.id, entry.error)
        assert isinstance(entry.body, Outgoing)
        assert entry.error is not None
        assert entry.error == "it came back: 5.1.1 <...>: mailbox unavailable"
        bounce(bot, str(answer["Message-ID"]))
        await bot.settled()
        assert len(await bot.dead()) == 1
        assert len(bot.answers()) == 1
        assert [message.kind for message in await bot.kept()] == ["new"]


@pytest.mark.parametrize(
    ("original", "action", "status"),
    [("<made-up@shop.example>", "failed", "5.1.1"), (None, "delayed", "4.4.1"), (None, "delivered", "2.0.0")],
)
async def test_other_reports_change_nothing(bot: Start, original: str | None, action: str, status: str) -> None:
    async with bot() as bot:
        bot.write()
        (answer,) = await bot.answered(1)
        bounce(bot, original or str(answer["Message-ID"]), action=action, status=status)
        await bot.settled()
        assert not await bot.dead()
        assert len(bot.answers()) == 1
        assert len(bot.server.smtp.received) == 1


async def test_an_absence_notice_is_recorded_in_its_conversation_and_not_answered(bot: Start) -> None:
    async with bot() as bot:
        bot.write()
        (answer,) = await bot.answered(1)
        bot.write("I am away until Monday.", In_Reply_To=str(answer["Message-ID"]), Auto_Submitted="auto-replied")
        bot.write("I am away, too.", sender=BOB, Subject="Out of office", Auto_Submitted="auto-replied")
        await bot.settled()
        assert [(message.contact.id, message.kind) for message in await bot.kept()] == [(ANN, "new"), (ANN, "automatic")]
        assert len(await bot.store.conversations()) == 1
        assert len(bot.answers()) == 1
        assert not bot.answers(BOB)


async def test_an_agent_answers_the_customer_and_not_their_absence_notice(bot: Start) -> None:
    async with bot() as bot:
        bot.write("Where is it?", Subject="My lamp")
        (answer,) = await bot.answered(1)
        notice = {"Subject": "Out of office: My lamp", "Auto_Submitted": "auto-replied"}
        bot.write("I am away.", In_Reply_To=str(answer["Message-ID"]), **notice)
        await bot.settled()
        (state,) = await bot.store.conversations()
        await bot.app.handoff.reply(state.id, "Alma", "It is on its way.")
        answer = (await bot.answered(2))[-1]
        assert (answer["Subject"], answer["In-Reply-To"]) == ("Re: My lamp", "<1@home.example>")


@pytest.mark.parametrize(
    "headers",
    [
        {"List_Id": "<news.home.example>"},
        {"Precedence": "bulk"},
        {"Auto_Submitted": "auto-generated"},
        {"sender": "no-reply@home.example"},
        {"sender": BOT},
    ],
)
async def test_what_must_not_be_answered_is_kept_for_people(bot: Start, headers: dict[str, str]) -> None:
    async with bot() as bot:
        bot.write("something that somebody may want to read", **headers)
        await bot.settled()
        (message,) = await bot.kept()
        assert message.kind == "automatic"
        assert not bot.server.smtp.received


async def test_a_copy_of_our_own_mail_is_left_alone(bot: Start) -> None:
    async with bot() as bot:
        bot.write()
        await bot.answered(1)
        (state,) = await bot.store.conversations()
        await bot.app.handoff.reply(state.id, "Alma", "A person here.")
        await bot.answered(2)
        for mail in bot.server.inbox(ANN).mails:
            bot.server.deliver(mail.data, BOT)
        await bot.settled()
        assert len(await bot.kept()) == 1
        assert len(bot.server.smtp.received) == 2


async def test_two_bots_do_not_talk_to_each_other(server: MailServer, tmp_path: Path) -> None:
    async with an_app(tmp_path / "1", **local(server)), an_app(tmp_path / "2", **local(server), address=ANN, password="a"):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"], mail["Subject"] = ANN, BOT, "<1@home.example>", "hello"
        mail.set_content("hello")
        server.deliver(mail.as_bytes(), BOT)
        await until(lambda: all(r"\Seen" in mail.flags for mail in [*server.inbox(ANN).mails, *server.inbox(BOT).mails]))
        await until(lambda: len(server.smtp.received) == 1)
        await asyncio.sleep(0.5)
    assert len(server.smtp.received) == 1


async def test_a_robot_that_hides_is_answered_a_few_times_only(bot: Start) -> None:
    """It answers each answer as a person would, in ever new threads."""
    async with bot(answers_per_sender=3) as bot:
        inbox = bot.server.inbox(ANN)
        inbox.watchers.add(lambda: bot.write("Thank you for your mail."))
        with capture_logs() as logs:
            bot.write()
            await until(lambda: len(bot.server.inbox(BOT).mails) == 4)
            await bot.settled()
        assert len(inbox.mails) == 3
        assert [message.kind for message in await bot.kept()] == ["new", "new", "new", "automatic"]
        assert any("recorded only" in line["event"] for line in logs)
        inbox.watchers.clear()
        bot.write(sender=BOB)
        await bot.answered(1, BOB)


async def test_people_are_told_once_a_day_that_a_sender_is_held_back(bot: Start) -> None:
    async with bot(answers_per_sender=2) as bot:
        for number in range(2):
            bot.write(f"Where is my lamp, for the {number}th time?", subject=f"Lamp {number}")
        await bot.answered(2)
        for number in range(2, 5):
            bot.write(f"And where is my candle, for the {number}th time?", subject=f"Candle {number}")
            await bot.settled()
        waiting = [state for state in await bot.store.conversations() if state.owner == "queue"]
        assert len(waiting) == 1
        assert waiting[0].handoff is not None
        assert "answers_per_sender" in waiting[0].handoff.reason
        await bot.app.handoff.take(waiting[0].id, "Alma Agent")
        await bot.app.handoff.resolve(waiting[0].id, "Alma Agent")
        bot.write("And my vase?", subject="Vase")
        await bot.settled()
        assert len(await bot.kept()) == 6
        assert not [state for state in await bot.store.conversations() if state.owner == "queue"]


async def test_a_robot_that_says_the_same_is_answered_three_times(bot: Start) -> None:
    async with bot() as bot:
        inbox = bot.server.inbox(ANN)

        def says() -> None:
            number = len(inbox.mails)
            bot.write(f"We have got your mail. Your ticket has number {number}.", sender=f"ann+{number}@home.example")

        inbox.watchers.add(says)
        says()
        await until(lambda: len(bot.server.inbox(BOT).mails) == 4)
        await bot.settled()
        assert [message.kind for message in await bot.kept()] == ["new", "new", "new", "automatic"]
        inbox.watchers.clear()
        bot.write("My lamp is broken. What shall I do?")
        await bot.answered(4)
        for _ in range(5):
            bot.write("yes")
        await bot.answered(9)


async def test_many_senders_cannot_flood_one_victim(bot: Start) -> None:
    async with bot(answers_per_sender=2, trusted_servers=["mx"]) as bot:
        for number in range(4):
            sender = f"eve-{number}@evil.example"
            proof = "mx; dmarc=pass header.from=evil.example"
            bot.write(sender=sender, Reply_To=ANN, Authentication_Results=proof)
        await bot.settled()
        assert len(bot.server.smtp.received) == 2
        assert sorted(message.kind for message in await bot.kept()) == ["automatic", "automatic", "new", "new"]


async def test_the_circuit_breaker_holds_the_bot_and_not_the_agents(bot: Start) -> None:
    async with bot(answers_per_hour=2) as bot:
        for number in range(4):
            bot.write(sender=f"ann+{number}@home.example")
        with capture_logs() as logs:

            async def held() -> bool:
                return any("than is allowed in an hour" in line["event"] for line in logs)

            await until(held)
            await asyncio.sleep(0.3)
        assert len(bot.server.smtp.received) == 2
        assert (await bot.store.health()).outbox == 2
        waiting = (await bot.store.conversations())[0]
        assert await bot.channel.send(an_outgoing(waiting.id, author="agent:Alma"))


async def test_too_large_mail_is_told_of_and_answered(bot: Start) -> None:
    async with bot(max_mail=1_000_000) as bot:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"] = ANN, BOT, "<large@home.example>"
        mail.set_content("See the film.")
        mail.add_attachment(bytes(40 * 1024 * 1024), maintype="video", subtype="mp4", filename="film.mp4")
        bot.server.deliver(mail.as_bytes(), BOT)
        (answer,) = await bot.answered(1)
        assert "See the film." in answer.get_body(("plain",)).get_content()
        (message,) = await bot.kept()
        (file,) = [part.attachment for part in message.parts if isinstance(part, FilePart)] or [None]
        assert file is None or (file.problem and not file.id)


async def test_attachments_are_kept_once_and_large_ones_are_named(bot: Start) -> None:
    async with bot(max_attachment=1000) as bot:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"] = ANN, BOT, "<1@home.example>"
        mail.set_content("two files")
        mail.add_attachment(b"x" * 900, maintype="application", subtype="pdf", filename="small.pdf")
        mail.add_attachment(b"y" * 2000, maintype="application", subtype="pdf", filename="large.pdf")
        for _ in range(3):
            bot.server.deliver(mail.as_bytes(), BOT)
        await bot.answered(1)
        (message,) = await bot.kept()
        small, large = [part.attachment for part in message.parts if isinstance(part, FilePart)]
        assert bot.app.attachments.path(small.id).read_bytes() == b"x" * 900
        assert (large.name, large.id) == ("large.pdf", "")
        assert large.problem
        assert len([path for path in bot.app.attachments.folder.rglob("*") if path.is_file()]) == 1


async def test_a_mail_that_cannot_be_kept_leaves_no_files_behind(bot: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bot() as bot:
        accept, refused = bot.store.accept, 0

        async def refuse(message: Message) -> Receipt:
            nonlocal refused
            refused += 1
            if refused < 4:
                raise Unavailable("the disk is full", 0.05)
            return await accept(message)

        monkeypatch.setattr(bot.store, "accept", refuse)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"] = ANN, BOT, "<1@home.example>"
        mail.set_content("a file")
        mail.add_attachment(b"x" * 900, maintype="application", subtype="pdf", filename="small.pdf")
        bot.server.deliver(mail.as_bytes(), BOT)
        await bot.answered(1)
        assert refused == 4
        assert len([path for path in bot.app.attachments.folder.rglob("*") if path.is_file()]) == 1


async def test_the_limit_of_a_sender_outlives_a_restart(bot: Start) -> None:
    async with bot(answers_per_sender=1) as running:
        running.write()
        await running.answered(1)
    async with bot(answers_per_sender=1) as running:
        running.number = 1
        running.write("again")
        await running.settled()
        assert len(running.answers()) == 1


async def test_the_longer_a_reply_waits_the_longer_the_pauses(bot: Start) -> None:
    async with bot() as bot:
        bot.write()
        await bot.answered(1)
        (state,) = await bot.store.conversations()
        bot.server.smtp.refuse("451 4.7.1 later", times=100)
        pauses = []
        for age in (timedelta(), timedelta(minutes=1), timedelta(hours=12), timedelta(days=3)):
            with pytest.raises(DeliveryDeferred) as raised:
                await bot.channel.send(an_outgoing(state.id, at=datetime.now(UTC) - age))
            pauses.append(raised.value.retry_after and round(raised.value.retry_after))
        assert pauses == [1, 20, 1800, None]


async def test_what_can_never_be_sent_is_a_dead_letter(bot: Start) -> None:
    async with bot() as bot:
        bot.write()
        await bot.answered(1)
        (state,) = await bot.store.conversations()
        lost = Attachment(id="0" * 32, name="lost.pdf", media_type="application/pdf", size=1)
        for outgoing in (an_outgoing("email:other@shop.example:x"), an_outgoing(state.id, attachments=(lost,))):
            with pytest.raises(DeliveryRejected):
                await bot.channel.send(outgoing)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"trusted_servers": ["mx"]}, None),
        ({"password": "wrong"}, "PASSWORD"),
        ({"smtp_password": "wrong"}, "PASSWORD"),
        ({"imap_port": 1}, "IMAP_HOST"),
        ({"smtp_port": 1}, "SMTP_HOST"),
        ({"folder": "Nowhere"}, "FOLDER"),
        ({"imap_tls": "starttls"}, "IMAP_HOST"),
    ],
)
async def test_the_check_says_who_we_are_or_what_is_wrong(bot: Start, changed: dict[str, Any], told: str | None) -> None:
    async with bot() as bot:
        settings = EmailSettings.model_validate(
            {"address": BOT, "password": PASSWORDS[BOT], "timeout": 5, **local(bot.server), **changed}
        )
        channel = EmailChannel(settings, bot.channel.services)
        if told is None:
            assert await channel.check() == BOT
        else:
            with pytest.raises(ConfigurationError, match=f"FRONTDESK_CHANNELS__EMAIL__{told}"):
                await channel.check()


async def test_the_check_says_when_nobody_can_be_proved(bot: Start) -> None:
    async with bot() as bot:
        settings = EmailSettings.model_validate({"address": BOT, "password": PASSWORDS[BOT], **local(bot.server)})
        said = await EmailChannel(settings, bot.channel.services).check()
        assert said.startswith(f"{BOT}; nobody is proved by e-mail")
        assert "FRONTDESK_CHANNELS__EMAIL__TRUSTED_SERVERS" in said
        assert "\n" not in said


async def test_exim_and_dovecot_carry_mail_both_ways_and_what_bounces_is_found(real: RealMail, tmp_path: Path) -> None:
    servers = {"imap_host": "localhost", "imap_port": real.imap_port, "imap_tls": "starttls"}
    servers |= {"smtp_host": "localhost", "smtp_port": real.smtp_port, "smtp_tls": "starttls"}
    async with an_app(tmp_path, **servers, ca_file=real.certificate) as app:
        await asyncio.to_thread(real.submit, ANN, BOT, "Subject: a question\nMessage-ID: <1@home.example>\n\nhello\n")

        async def answers() -> list[EmailMessage]:
            return [parsed(mail) for mail in await asyncio.to_thread(real.mails, ANN)]

        async def answered() -> bool:
            return bool(await answers())

        await until(answered)
        (answer,) = await answers()
        assert str(answer["In-Reply-To"]) == "<1@home.example>"
        assert answer.get_body(("plain",)).get_content().startswith("You said: a question")  # type: ignore[union-attr]

        await asyncio.to_thread(real.submit, "full@home.example", BOT, "Message-ID: <2@home.example>\n\nhello\n")

        async def came_back() -> bool:
            return bool(await app.store.dead())

        await until(came_back)
        (entry,) = await app.store.dead()
        assert isinstance(entry.body, Outgoing)
        assert entry.body.contact.id == "full@home.example"
        assert entry.error is not None
        assert entry.error == "it came back: <...> 5.2.2 the mailbox is full"
        assert len(await answers()) == 1


def bounce(bot: Bot, original: str, *, action: str = "failed", status: str = "5.1.1") -> None:
    bot.number += 1
    report = REPORT.format(number=bot.number, original=original, action=action, status=status)
    bot.server.deliver(report.encode(), BOT)


def dead(bot: Bot) -> Callable[[], Awaitable[bool]]:
    async def there_is_one() -> bool:
        return bool(await bot.dead())

    return there_is_one


async def transcript(bot: Bot) -> list[Entry]:
    (state,) = await bot.store.conversations()
    return await bot.store.transcript(state.id)


def an_outgoing(conversation: str, *, at: datetime | None = None, **changed: Any) -> Outgoing:
    fields = {"author": "bot", "text": "words", "contact": Contact(id=ANN, email=ANN), **changed}
    return Outgoing(
        id=f"{conversation}/{len(str(fields))}", channel="email", conversation=conversation, at=at or datetime.now(UTC), **fields
    )


async def test_agents_can_see_the_whole_mail(bot: Start) -> None:
    async with bot(trusted_servers=["mx"]) as bot:
        words = "Yes, please.\n\n-- \nAnn\nphone 4711\n\nOn Monday, you wrote:\n> Shall we?"
        results = "mx; spf=pass smtp.mailfrom=home.example; dkim=fail; dmarc=pass header.from=home.example"
        bot.write(words, Subject="Your offer", Authentication_Results=results)
        await bot.answered(1)
        (message,) = await bot.kept()
        assert "4711" not in message.text
        whole = bot.channel.whole(message)
        assert whole is not None
        assert whole.startswith(f"From: {ANN}\nTo: {BOT}\nSubject: Your offer\n")
        assert "phone 4711" in whole
        assert "> Shall we?" in whole
        assert "Checked: SPF pass, DKIM fail, DMARC pass" in whole
