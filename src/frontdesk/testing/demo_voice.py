"""A demonstration without any network: somebody says "I want to cancel my order.", and the demo shop's bot hears it, four times.

    python -m frontdesk.testing.demo_voice [--model base]

The recording goes to the voice end point, to the bot on a Telegram and in a Slack on loopback, and to a mailbox, attached to a
mail. Each time the bot must ask which order is meant, and cancel it after a yes. Ends with 1 where it does not.

eSpeak NG speaks where it is installed; else a recording of it is taken. A tiny Whisper from the tests listens, which was trained
on such sentences; `--model` names a published one instead, which is downloaded once.
"""

import argparse
import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import aiohttp

from frontdesk.core.testing.platform import free_port
from frontdesk.testing.mail import MailServer

SENTENCE = "I want to cancel my order."
FROM_TESTS = Path(__file__).resolve().parents[3] / "tests" / "plugins" / "models" / "whisper"
MICRO, RECORDED = FROM_TESTS / "micro.pt.gz", FROM_TESTS / "recordings" / "cancel.ogg"
SUPPORT, CUSTOMER = "support@shop.example", "ann@home.example"
PASSWORD = "demo-password"  # noqa: S105 - of a mail server that lives as long as this program
PATIENCE = 180.0
NEEDED = {"whisper": "voice", "av": "voice", "telegram": "telegram", "slack_bolt": "slack", "aiosmtplib": "email"}


class Wrong(Exception):
    """Something is not as it should be."""


class Route(ABC):
    """A way for a voice to reach the bot. `order` is the one that is cancelled on it."""

    title: str
    order: str

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What an operator sets for it: names below `FRONTDESK_CHANNELS__`."""

    @abstractmethod
    async def speak(self, recording: bytes) -> None: ...

    @abstractmethod
    async def write(self, text: str) -> None: ...

    @abstractmethod
    def answers(self) -> list[str]:
        """What the customer has been told so far."""

    @abstractmethod
    async def open(self, stack: AsyncExitStack, port: int) -> None:
        """Starts the platform. The bot will listen on `port`."""


class VoiceRoute(Route):
    title, order = "the voice end point, as ogg/opus", "LL-10424"

    def __init__(self) -> None:
        self._key = uuid4().hex
        self._answers: list[str] = []

    def settings(self) -> dict[str, str]:
        return {"VOICE__KEYS": f'["{self._key}"]'}

    async def open(self, stack: AsyncExitStack, port: int) -> None:
        session = aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {self._key}"})
        self._session = await stack.enter_async_context(session)

    async def speak(self, recording: bytes) -> None:
        await self._post(data=recording, params={"conversation": "call-1"}, headers={"Content-Type": "audio/ogg"})

    async def write(self, text: str) -> None:
        await self._post(json={"conversation": "call-1", "text": text})

    def answers(self) -> list[str]:
        return self._answers

    async def _post(self, **request: object) -> None:
        async with self._session.post("/voice", **request) as response:  # type: ignore[arg-type]
            answer = await response.json()
        if not response.ok:
            raise Wrong(f"the end point answers {response.status}: {answer}")
        if heard := answer["heard"]:
            say(f"  heard      {heard['transcript']!r}, {heard['language']}, confidence {heard['confidence']}")
        self._answers += [reply["plain"] for reply in answer["replies"]]


class TelegramRoute(Route):
    title, order = "Telegram, as a voice message", "LL-10425"

    async def open(self, stack: AsyncExitStack, port: int) -> None:
        from frontdesk.testing.telegram import FakeTelegram

        self._telegram = await stack.enter_async_context(FakeTelegram())
        self._ann = self._telegram.user("Ann")

    def settings(self) -> dict[str, str]:
        return {"TELEGRAM__TOKEN": self._telegram.token, "TELEGRAM__API_URL": self._telegram.url}

    async def speak(self, recording: bytes) -> None:
        await self._ann.send_file(recording, kind="voice", media_type="audio/ogg")

    async def write(self, text: str) -> None:
        await self._ann.write(text)

    def answers(self) -> list[str]:
        return [reply.text for reply in self._ann.chat.replies]


class SlackRoute(Route):
    title, order = "Slack, as an audio clip (Socket Mode)", "LL-10426"

    async def open(self, stack: AsyncExitStack, port: int) -> None:
        from frontdesk.testing.slack import FakeSlack

        self._slack = await stack.enter_async_context(FakeSlack(socket_mode=True))
        self._dm = await self._slack.user("Ann").dm()

    def settings(self) -> dict[str, str]:
        return {
            "SLACK__BOT_TOKEN": str(self._slack.workspace.token),
            "SLACK__APP_TOKEN": str(self._slack.app_token),
            "SLACK__API_URL": self._slack.api_url,
        }

    async def speak(self, recording: bytes) -> None:
        await self._slack.sockets.connected()
        await self._dm.write(clip=("audio_message.webm", recording))

    async def write(self, text: str) -> None:
        await self._dm.write(text)

    def answers(self) -> list[str]:
        return [reply.text for reply in self._dm.replies]


class EmailRoute(Route):
    title, order = "e-mail, as an attachment", "LL-10428"

    async def open(self, stack: AsyncExitStack, port: int) -> None:
        self._server = await stack.enter_async_context(MailServer({SUPPORT: PASSWORD, CUSTOMER: PASSWORD}))

    def settings(self) -> dict[str, str]:
        own = {"ADDRESS": SUPPORT, "PASSWORD": PASSWORD, "IMAP_HOST": "127.0.0.1", "SMTP_HOST": "127.0.0.1"}
        own |= {"IMAP_PORT": str(self._server.imap.port), "SMTP_PORT": str(self._server.smtp.port)}
        return {f"EMAIL__{name}": value for name, value in {**own, "IMAP_TLS": "none", "SMTP_TLS": "none"}.items()}

    async def speak(self, recording: bytes) -> None:
        mail = self._mail("Voice message")
        mail.set_content("")
        mail.add_attachment(recording, maintype="audio", subtype="ogg", filename="voicemail.ogg")
        self._server.deliver(mail.as_bytes(), SUPPORT)

    async def write(self, text: str) -> None:
        last = self._inbox()[-1]
        mail = self._mail(f"Re: {last['Subject']}")
        mail["In-Reply-To"], mail["References"] = str(last["Message-ID"]), f"{last['References']} {last['Message-ID']}"
        mail.set_content(f"{text}\n")
        self._server.deliver(mail.as_bytes(), SUPPORT)

    def answers(self) -> list[str]:
        bodies = [mail.get_body(("plain",)) for mail in self._inbox()]
        return [_above_the_quote(str(body.get_content())) for body in bodies if body is not None]

    def _inbox(self) -> list[EmailMessage]:
        return [
            mail
            for stored in self._server.inbox(CUSTOMER).mails
            if isinstance(mail := message_from_bytes(stored.data, policy=policy.default), EmailMessage)
        ]

    @staticmethod
    def _mail(subject: str) -> EmailMessage:
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = f"Ann Archer <{CUSTOMER}>", SUPPORT, subject
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="home.example")
        return mail


def _above_the_quote(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith(">")]
    return "\n".join(line for line in lines if not line.endswith("wrote:")).strip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m frontdesk.testing.demo_voice", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default=str(MICRO), help="a published Whisper model, such as base, or a file")
    model: str = parser.parse_args().model
    for package, extra in NEEDED.items():
        if find_spec(package) is None:
            sys.exit(
                f'The demonstration needs the package {package}: pip install "frontdesk[voice,telegram,slack,email]" ({extra})'
            )
    if model == str(MICRO) and not MICRO.exists():
        sys.exit("The tiny model is in the source code only: name a published one, for example --model base")
    try:
        asyncio.run(demonstrate(model))
    except KeyboardInterrupt:
        sys.exit(130)
    except Wrong as error:
        sys.exit(f"\nWRONG: {error}")


async def demonstrate(model: str) -> None:
    """Raises `Wrong`."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-demo-") as folder:
        recording = await asyncio.to_thread(spoken, Path(folder))
        routes = [VoiceRoute(), TelegramRoute(), SlackRoute(), EmailRoute()]
        async with AsyncExitStack() as stack:
            port = free_port()
            for route in routes:
                await route.open(stack, port)
            await stack.enter_async_context(bot(Path(folder), port, model, routes))
            for route in routes:
                await converse(route, recording)
                await until(lambda route=route: cancelled(Path(folder), route.order), f"{route.order} to be cancelled")  # type: ignore[misc]
                say(f"  database   {route.order} is cancelled")
        say("\nAll four were heard, and did what was said.")


async def converse(route: Route, recording: bytes) -> None:
    say(f"\n{route.title}")
    say(f"  customer   [{SENTENCE}]")
    await route.speak(recording)
    await answered(route, 1, "order number")
    for number, text in ((2, route.order), (3, "yes")):
        say(f"  customer   {text}")
        await route.write(text)
        await answered(route, number, route.order)


async def answered(route: Route, count: int, words: str) -> None:
    """Waits for so many answers, and raises `Wrong` where the last has not these words."""
    await until(lambda: len(route.answers()) >= count, f"answer number {count} on {route.title}")
    answer = route.answers()[-1]
    say("  bot        " + "\n             ".join(line for line in answer.splitlines() if line.strip()))
    if words.lower() not in answer.lower():
        raise Wrong(f"the answer should have {words!r} in it")


def spoken(folder: Path) -> bytes:
    """The sentence as ogg/opus, 48 kHz mono, as Telegram's clients make it."""
    program = shutil.which("espeak-ng")
    if program is None:
        say("eSpeak NG is not installed: a recording of it is taken.")
        return RECORDED.read_bytes()
    from frontdesk.plugins.models.audio import to_ogg

    wave = folder / "sentence.wav"
    command = [program, "-v", "en-gb+m7", "-s", "150", "-w", str(wave), SENTENCE]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603
    note = to_ogg(wave, max_seconds=60).data
    say(f"eSpeak NG says {SENTENCE!r}: {len(note)} bytes of ogg/opus.")
    return note


@asynccontextmanager
async def bot(folder: Path, port: int, model: str, routes: list[Route]) -> AsyncIterator[None]:
    """The demo shop, set up by environment variables as an operator would."""
    own = {"FRONTDESK_MODELS__SPEECH__MODEL": model}
    own |= {f"FRONTDESK_CHANNELS__{name}": value for route in routes for name, value in route.settings().items()}
    say("The demo shop's bot, with these settings:\n" + "\n".join(f"  {name}={value}" for name, value in own.items()))
    others = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
    settings = {"FRONTDESK_DATA_FOLDER": str(folder / "data"), "FRONTDESK_WEB__PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "frontdesk", "run"),
        cwd=folder,
        env={**others, **settings, **own, "FRONTDESK_LOGGING__LEVEL": "warning"},
        stdout=subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await until_ready(session, process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def until_ready(session: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> None:
    """Waits for the bot and its model, and shows how the model does."""
    shown = ""
    async with asyncio.timeout(PATIENCE * 10):
        while process.returncode is None:
            try:
                async with session.get("/readyz") as response:
                    ((name, state),) = (await response.json()).get("models", {}).items() or (("the bot", {"status": "starting"}),)
            except aiohttp.ClientError:
                name, state = "the bot", {"status": "starting"}
            words = f"  {name}: {state['status']} {state.get('detail', '')}".rstrip()
            if words != shown:
                say(words)
                shown = words
            if state["status"] == "ready":
                return
            if state["status"] == "failed":
                raise Wrong(f"the model was not loaded: {state.get('detail')}")
            await asyncio.sleep(0.2)
    raise Wrong("the bot has ended; what it says is above")


def cancelled(folder: Path, order: str) -> bool:
    with closing(sqlite3.connect(f"file:{folder / 'data' / 'orders.sqlite3'}?mode=ro", uri=True)) as db:
        return bool(db.execute("SELECT 1 FROM orders WHERE number = ? AND status = 'cancelled'", (order,)).fetchone())


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Wrong(f"waited {PATIENCE:g} s in vain for {what}") from None


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
