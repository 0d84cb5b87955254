"""A demonstration without any network: a mail server on loopback, the demo shop's bot, and a customer who writes to it by e-mail.

    python -m frontdesk.testing.demo_email [--stay]

Prints what was written and answered, checks that the answers are where they belong, and ends with 1 if they are not. With
`--stay` the server goes on, so that you can write with a mail program of your own.
"""

import argparse
import asyncio
import imaplib
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from frontdesk.core.testing.platform import free_port
from frontdesk.testing.mail import MailServer

SUPPORT, CUSTOMER = "support@shop.example", "ann@home.example"
PASSWORDS = {SUPPORT: "shop-password", CUSTOMER: "ann-password"}
SHOWN = (
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("Reply-To", "Auto-Submitted", "Content-Type"),
)
PATIENCE = 60.0


class Wrong(Exception):
    """Something is not as it should be."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m frontdesk.testing.demo_email", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--stay", action="store_true", help="keep everything running until Ctrl-C")
    stay: bool = parser.parse_args().stay
    try:
        asyncio.run(demonstrate(stay=stay))
    except KeyboardInterrupt:
        pass
    except Wrong as error:
        sys.exit(f"\nWRONG: {error}")


async def demonstrate(*, stay: bool) -> None:
    """Raises `Wrong`."""
    async with MailServer(PASSWORDS) as server:
        say(f"A mail server: SMTP on 127.0.0.1:{server.smtp.port}, IMAP on 127.0.0.1:{server.imap.port}")
        async with bot(server):
            customer = Customer(server.smtp.port, server.imap.port)
            await asyncio.to_thread(converse, customer)
            if stay:
                say(
                    f"Your own mail program can join in, as {CUSTOMER} with the password {PASSWORDS[CUSTOMER]}:\n"
                    f"  IMAP 127.0.0.1 port {server.imap.port}, SMTP 127.0.0.1 port {server.smtp.port}, no encryption.\n"
                    f"Write to {SUPPORT}. Ctrl-C ends it."
                )
                await asyncio.Event().wait()


@asynccontextmanager
async def bot(server: MailServer) -> AsyncIterator[None]:
    """The demo shop, with nothing set but the mailbox, by environment variables as an operator would."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-demo-") as folder:
        port = free_port()
        mailbox = {
            "ADDRESS": SUPPORT,
            "NAME": "Lantern & Leaf",
            "PASSWORD": PASSWORDS[SUPPORT],
            "IMAP_HOST": "127.0.0.1",
            "IMAP_PORT": str(server.imap.port),
            "IMAP_TLS": "none",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(server.smtp.port),
            "SMTP_TLS": "none",
        }
        own = {f"FRONTDESK_CHANNELS__EMAIL__{name}": value for name, value in mailbox.items()}
        say("The demo shop's bot, with these settings:\n" + "\n".join(f"  {name}={value}" for name, value in own.items()))
        others = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
        settings = {"FRONTDESK_DATA_FOLDER": str(Path(folder, "data")), "FRONTDESK_WEB__PORT": str(port)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "frontdesk", "run"),
            cwd=folder,
            env={**others, **settings, **own, "FRONTDESK_LOGGING__LEVEL": "error"},
            stdout=subprocess.DEVNULL,
        )
        try:
            await asyncio.to_thread(wait_for, lambda: ready(port), "the bot to start")
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def converse(customer: "Customer") -> None:
    first = customer.write("My lamp", "Hello,\n\nwhere is my order? It should have been here last week.\n\nThanks, Ann\n")
    answer = customer.read(1)
    check("it answers the customer's mail", answer["In-Reply-To"] == first["Message-ID"])
    check("it refers to it", str(first["Message-ID"]) in str(answer["References"]))
    check("it says that a program wrote it", str(answer["Auto-Submitted"]).startswith("auto-replied"))
    check("it is in plain text and in HTML", {"text/plain", "text/html"} <= {part.get_content_type() for part in answer.walk()})
    check("the question is quoted below", "> where is my order?" in text_of(answer))

    second = customer.write("Re: My lamp", "It is LL-10423.\n", answering=answer)
    answer = customer.read(2)
    check("the second answer answers the second mail", answer["In-Reply-To"] == second["Message-ID"])
    references = str(answer["References"])
    check("and refers to the whole thread", all(str(mail["Message-ID"]) in references for mail in (first, second)))

    say("An absence notice of the customer's comes back. Nobody answers it.")
    customer.write("Automatic reply: Re: My lamp", "I am away.\n", answering=answer, headers={"Auto-Submitted": "auto-replied"})
    last = customer.write("Opening hours", "When is your shop open?\n")
    answer = customer.read(3)
    check("the next answer is to the mail after it", answer["In-Reply-To"] == last["Message-ID"])
    say("All is as it should be.")


class Customer:
    """Writes with swaks, where it is installed, and else with Python's smtplib; reads by IMAP."""

    def __init__(self, smtp_port: int, imap_port: int) -> None:
        self._smtp_port = smtp_port
        self._imap_port = imap_port

    def write(
        self, subject: str, text: str, *, answering: EmailMessage | None = None, headers: dict[str, str] | None = None
    ) -> EmailMessage:
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = f"Ann Archer <{CUSTOMER}>", SUPPORT, subject
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="home.example")
        if answering is not None:
            mail["In-Reply-To"] = str(answering["Message-ID"])
            mail["References"] = f"{answering['References']} {answering['Message-ID']}"
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text)
        program = shutil.which("swaks")
        if program is not None:
            options = ["--server", f"127.0.0.1:{self._smtp_port}", "--from", CUSTOMER, "--to", SUPPORT]
            login = ["--auth", "PLAIN", "--auth-user", CUSTOMER, "--auth-password", PASSWORDS[CUSTOMER]]
            command = [program, *options, *login, "--silent", "3", "--data", "-"]
            subprocess.run(command, input=mail.as_bytes(), check=True, timeout=PATIENCE)  # noqa: S603
        else:
            with smtplib.SMTP("127.0.0.1", self._smtp_port) as client:
                client.login(CUSTOMER, PASSWORDS[CUSTOMER])
                client.send_message(mail)
        show(f"The customer writes, with {'swaks' if program else 'smtplib'}", mail)
        return mail

    def read(self, count: int) -> EmailMessage:
        """The newest mail, as soon as there are so many."""
        found: list[bytes] = []

        def enough() -> bool:
            found[:] = self._inbox()
            return len(found) >= count

        wait_for(enough, f"answer number {count}")
        if len(found) > count:
            raise Wrong("there are more answers than mails")
        mail = message_from_bytes(found[-1], policy=policy.default)
        assert isinstance(mail, EmailMessage)
        show("The bot answers", mail)
        return mail

    def _inbox(self) -> list[bytes]:
        with imaplib.IMAP4("127.0.0.1", self._imap_port) as client:
            client.login(CUSTOMER, PASSWORDS[CUSTOMER])
            client.select(readonly=True)
            numbers = client.search(None, "ALL")[1][0].split()
            answers = [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers]
            return [answer[1] for answer in answers if isinstance(answer, tuple)]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def show(title: str, mail: EmailMessage) -> None:
    lines = [f"{name}: {' '.join(str(mail[name]).split())}" for name in SHOWN if mail[name] is not None]
    say("\n".join([f"{title}:", "", *(f"    {line}" for line in [*lines, "", *text_of(mail).splitlines()])]))


def check(what: str, right: bool) -> None:
    print(f"  {'ok   ' if right else 'WRONG'}  {what}", flush=True)
    if not right:
        raise Wrong(what)


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Wrong(f"waited {PATIENCE:g} s in vain for {what}")
        time.sleep(0.1)


def ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return int(answer.status) == 200
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    main()
