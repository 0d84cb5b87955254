"""Bad input and bad luck, each with its outcome for the running channel. After each of them the next customer is answered.

What is read out of a bad mail is in `test_bad_mails`; all of those are sent through here too.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

import pytest

from frontdesk.core.messages import FilePart
from frontdesk.core.testing.platform import until

from .platforms import parsed
from .running import ANN, BOB, BOT, Bot, Start
from .test_bad_mails import TABLE

Outcome = Literal["answered", "recorded", "flagged", "left alone"]
"""`recorded`: people can read it, the bot says nothing. `flagged`: it stays in the mailbox with a flag. `left alone`: only marked
as read."""


@dataclass(frozen=True)
class Case:
    mail: bytes
    outcome: Outcome
    check: Callable[[Bot], bool] = lambda bot: True


def mail(body: str = "hello", *, sender: str = f"Ann <{ANN}>", headers: str = "", id: str = "<1@home.example>") -> bytes:
    head = f"From: {sender}\r\nTo: {BOT}\r\nMessage-ID: {id}\r\nSubject: a question\r\n{headers}"
    return f"{head}\r\n{body}\r\n".encode("utf-8", "surrogateescape")


def only_to_ann(bot: Bot) -> bool:
    (received,) = bot.server.smtp.received
    mail = parsed(received.data)
    return received.recipients == (ANN,) and mail["To"].addresses[0].addr_spec == ANN and mail["Bcc"] is mail["Cc"] is None


CASES = {
    "nothing at all": Case(b"", "flagged"),
    "no headers at all": Case(b"just some words\r\nand more\r\n", "flagged"),
    "random bytes": Case(bytes(range(256)) * 100, "flagged"),
    "an empty From": Case(mail(sender=""), "flagged"),
    "no Message-ID": Case(mail(id=""), "answered"),
    "a Message-ID without brackets": Case(mail(id="1@home.example"), "answered"),
    "a Message-ID of 10 kB": Case(mail(id=f"<{'x' * 10_000}@home.example>"), "answered"),
    "two Froms": Case(mail(headers=f"From: {BOB}\r\n"), "answered", only_to_ann),
    "two authors in one From": Case(mail(sender=f"{ANN}, {BOB}"), "answered", only_to_ann),
    "a header smuggled into the subject": Case(
        mail(headers="Subject: =?utf-8?Q?hi=0D=0ABcc:_bob@home.example=0D=0A?=\r\n").replace(b"Subject: a question\r\n", b""),
        "answered",
        only_to_ann,
    ),
    "a header smuggled into a name": Case(
        mail(sender=f"=?utf-8?Q?A=0D=0ABcc:_bob@home.example?= <{ANN}>"), "answered", only_to_ann
    ),
    "a recipient smuggled into the address": Case(
        mail(sender=f'"ann@home.example>\\r\\nRCPT TO:<bob" <{ANN}>'), "answered", only_to_ann
    ),
    "a header smuggled into the Message-ID": Case(mail(id="<1@home.example\x0bBcc: bob@home.example>"), "answered", only_to_ann),
    "answers asked for elsewhere": Case(mail(headers="Reply-To: somebody@elsewhere.example\r\n"), "answered", only_to_ann),
    "answers asked for by a thousand": Case(
        mail(headers=f"Reply-To: {', '.join(f'u{n}@elsewhere.example' for n in range(1000))}\r\n"), "answered", only_to_ann
    ),
    "ten thousand recipients": Case(
        mail(headers=f"Cc: {', '.join(f'u{n}@home.example' for n in range(10_000))}\r\n"), "answered", only_to_ann
    ),
    "a thousand References": Case(
        mail(headers="References: " + "\r\n ".join(f"<{n}@home.example>" for n in range(1000)) + "\r\n"),
        "answered",
        lambda bot: all(len(line) < 998 for line in bot.server.smtp.received[0].data.splitlines()),
    ),
    "a date in the year 9999": Case(mail(headers="Date: Fri, 31 Dec 9999 23:59:59 +0000\r\n"), "answered"),
    "a date that is none": Case(mail(headers="Date: \x00 yesterday\r\n"), "answered"),
    "HTML only, with a script": Case(
        mail("<p>Good <b>day</b><script>alert(1)</script>", headers="Content-Type: text/html\r\n"),
        "answered",
        lambda bot: b"alert" not in bot.server.smtp.received[0].data.partition(b"gmail_quote")[0],
    ),
    "an unknown charset": Case(mail("gr\udcfc\udcdfe", headers="Content-Type: text/plain; charset=x-no-such\r\n"), "answered"),
    "NUL bytes": Case(mail("he\0llo\0"), "answered"),
    "a line of 5 MB": Case(mail("x" * 5_000_000), "answered"),
    "our own address": Case(mail(sender=BOT), "recorded"),
    "our own address with a plus": Case(mail(sender="support+abc@shop.example"), "recorded"),
    "an address that reads no answers": Case(mail(sender="no-reply@home.example"), "recorded"),
    "a mailing list": Case(mail(headers="List-Id: <all.home.example>\r\n"), "recorded"),
    "a newsletter": Case(mail(headers="Precedence: bulk\r\nList-Unsubscribe: <https://home.example>\r\n"), "recorded"),
    "a null return path": Case(mail(headers="Return-Path: <>\r\n"), "recorded"),
    "an automatic answer": Case(mail(headers="Auto-Submitted: auto-replied\r\n"), "left alone"),
    "an absence notice without headers": Case(
        mail("I am out of the office until 5 May.").replace(b"a question", b"Out of office: your mail"), "left alone"
    ),
    "a bounce of nothing that we sent": Case(
        mail("550 5.1.1 unknown", sender="MAILER-DAEMON@home.example").replace(b"a question", b"Undelivered Mail"), "left alone"
    ),
    "forged Authentication-Results": Case(
        mail(headers="Authentication-Results: mx.home.example; dmarc=pass header.from=home.example\r\n"), "answered"
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_outcome(bot: Start, name: str) -> None:
    case = CASES[name]
    async with bot() as running:
        stored = running.server.deliver(case.mail, BOT)
        await running.settled()
        kept = await running.kept()
        assert stored.flags == ({r"\Seen", r"\Flagged"} if case.outcome == "flagged" else {r"\Seen"})
        assert [message.kind for message in kept] == {"answered": ["new"], "recorded": ["automatic"]}.get(case.outcome, [])
        assert len(running.server.smtp.received) == (case.outcome == "answered")
        assert not any(message.contact.verified for message in kept)
        assert not await running.dead()
        assert case.check(running)
        running.number = 100
        running.write(sender=BOB)
        await running.answered(1, BOB)


async def test_all_bad_mails_together_block_nothing(bot: Start) -> None:
    async with bot(answers_per_sender=1000, answers_per_hour=1000) as running:
        stored = {name: running.server.deliver(data, BOT) for name, (data, _) in TABLE.items()}
        running.number = 100
        running.write(sender=BOB)
        await until(lambda: len(running.answers(BOB)) == 1, 60)
        flagged = {name for name, mail in stored.items() if r"\Flagged" in mail.flags}
        refused = {name for name, (_, outcome) in TABLE.items() if isinstance(outcome, str)}
        assert flagged == refused


async def test_a_zip_bomb_is_kept_packed(bot: Start) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", bytes(100_000_000))
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Message-ID"] = ANN, BOT, "<1@home.example>"
    letter.set_content("open this")
    letter.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename="bomb.zip")
    async with bot() as running:
        running.server.deliver(letter.as_bytes(), BOT)
        await running.answered(1)
        (message,) = await running.kept()
        (file,) = [part.attachment for part in message.parts if isinstance(part, FilePart)]
        assert running.app.attachments.path(file.id).stat().st_size == len(packed.getvalue())


async def test_a_connection_cut_in_the_middle_of_a_mail_loses_nothing(bot: Start) -> None:
    async with bot() as running:
        await until(lambda: running.server.imap.idling == 1)
        running.server.imap.cut_after = 5000
        running.write("x" * 20_000)
        (answer,) = await running.answered(1)
        assert "x" * 20_000 in answer.get_body(("plain",)).get_content().replace("\n", "")
        assert running.server.imap.connections == 2


@pytest.mark.parametrize("answer", ["421 4.7.0 too many", "451 4.7.1 later", "cut"])
async def test_a_storm_of_refusals_delays_and_loses_nothing(bot: Start, answer: str) -> None:
    async with bot() as running:
        running.server.smtp.refuse(answer, at="data", times=6)
        running.write()
        running.write(sender=BOB)
        await running.answered(1)
        await running.answered(1, BOB)


async def test_a_refusal_for_ever_is_a_dead_letter_and_the_next_mail_passes(bot: Start) -> None:
    async with bot() as running:
        running.server.smtp.refuse("554 5.7.1 we do not like you", at="data")
        running.write()
        await running.settled()
        (entry,) = await running.dead()
        assert entry.error == "SMTP 554 5.7.1: we do not like you"
        running.write()
        await running.answered(1)
