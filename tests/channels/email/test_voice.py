"""Voicemail that comes as an attachment of a mail, through whole turns."""

from email.message import EmailMessage
from pathlib import Path

from tests.channels.speaking import NOTE, SPOKEN, a_listener, heard

from frontdesk.core.testing.platform import wait_for

from .platforms import BOT, InMemory, parsed


async def voicemail(platform: InMemory, number: int) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ann <ann@home.example>", BOT, "Voice message"
    mail["Message-ID"] = f"<voice-{number}@home.example>"
    if thread := platform._thread("ann"):
        mail["In-Reply-To"], mail["References"] = thread[-1], " ".join(thread)
    platform._threads["ann"].append(str(mail["Message-ID"]))
    mail.set_content("")
    mail.add_attachment(NOTE, maintype="audio", subtype="ogg", filename="voicemail.ogg")
    await platform.deliver(mail.as_bytes())


async def test_what_is_spoken_is_answered_and_if_wanted_aloud(tmp_path: Path) -> None:
    platform = InMemory()
    async with a_listener(platform, tmp_path, "hello there", "good bye") as app:
        await voicemail(platform, 1)
        assert "hello there" in (await wait_for(platform, 1))[0].text
        await platform.write("/voice on")
        await wait_for(platform, 2)
        await voicemail(platform, 2)
        seen = (await wait_for(platform, 3))[2]
        assert "good bye" in seen.text
        assert seen.files == {"reply.ogg": SPOKEN}
        (attached,) = parsed(platform.answers("ann")[2]).iter_attachments()
        assert attached.get_content_type() == "audio/ogg"
        assert await heard(app) == [("audio/ogg", "hello there"), ("audio/ogg", "good bye")]
