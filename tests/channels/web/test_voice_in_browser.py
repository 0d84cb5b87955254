"""A voice message, from the microphone of a real browser to what was heard."""

import asyncio
import math
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from frontdesk.core.events import Changed, Typing
from frontdesk.core.messages import AudioPart

from .conftest import Chat
from .test_in_browser import CHROMEDRIVER, CHROMIUM, pytestmark  # noqa: F401 - marks this module too

ROOT = "const root = document.querySelector('#frontdesk-chat').shadowRoot;"


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser whose microphone hears a tone."""
    with wave.open(str(tmp_path / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", int(12000 * math.sin(n / 8))) for n in range(32000)))
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}")
    sound_flags = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    for flag in (*flags, *sound_flags, f"--use-file-for-fake-audio-capture={tmp_path / 'tone.wav'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    driver.set_window_size(900, 800)
    yield driver
    driver.quit()


class Widget:
    """What a customer does and sees in it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    async def shows(self, condition: str) -> None:
        await asyncio.to_thread(self._wait, f"{ROOT} return Boolean({condition})")

    async def press(self, label: str) -> None:
        find = f"[...root.querySelectorAll('button')].find((one) => one.ariaLabel === '{label}' && one.getClientRects().length)"
        await asyncio.to_thread(self._wait, f"{ROOT} const button = {find}; button?.click(); return Boolean(button)")

    def _wait(self, script: str) -> None:
        WebDriverWait(self._driver, 30, poll_frequency=0.05).until(lambda _: self._driver.execute_script(script))


@pytest.fixture
async def widget(chat: Chat, driver: webdriver.Chrome) -> Widget:
    await asyncio.to_thread(driver.get, f"{chat.client.make_url('/chat')}?language=en")
    await chat.connected(1)
    return Widget(driver)


async def test_what_is_spoken_arrives_as_a_recording_and_its_words_are_shown(
    chat: Chat, widget: Widget, driver: webdriver.Chrome
) -> None:
    await widget.press("Record a voice message")
    await widget.shows("parseInt(root.querySelector('.level i').style.inlineSize) > 5")
    await widget.shows("root.querySelector('.clock').textContent !== '0:00'")
    await widget.press("Send")
    await widget.shows("root.querySelector('.message.own audio')?.src.startsWith('blob:')")
    await widget.shows("root.querySelector('.message.own')?.dataset.state === 'sent'")

    (message,) = chat.accepted
    (part,) = message.parts
    assert isinstance(part, AudioPart)
    assert part.attachment.media_type in ("audio/webm", "audio/ogg", "audio/mp4")
    assert part.attachment.size > 500

    heard = msgspec.structs.replace(message, parts=(msgspec.structs.replace(part, transcript="a long tone"),))
    chat.events.publish(Changed(await chat.commit(message.conversation, heard), (heard,)))
    await widget.shows("root.querySelector('.message.own .heard')?.innerText.endsWith('a long tone')")
    await widget.shows("Number.isFinite(root.querySelector('audio').duration) && root.querySelector('audio').currentTime === 0")
    assert not [line for line in driver.get_log("browser") if line["level"] == "SEVERE" and "favicon" not in line["message"]]


async def test_a_recording_that_is_thrown_away_is_not_sent(chat: Chat, widget: Widget) -> None:
    await widget.press("Record a voice message")
    await widget.press("Remove")
    await widget.shows("root.querySelector('textarea').getClientRects().length")
    assert not chat.accepted


async def test_a_closed_panel_does_not_listen(chat: Chat, widget: Widget) -> None:
    await widget.press("Record a voice message")
    await widget.shows("root.querySelector('.recording').getClientRects().length")
    await widget.press("Close chat")
    await widget.shows("root.querySelector('.recording').hidden")
    await widget.press("Open chat")
    await widget.shows("root.querySelector('textarea').getClientRects().length")
    assert not chat.accepted


async def test_a_recording_that_could_not_be_uploaded_is_sent_at_another_try(
    chat: Chat, widget: Widget, driver: webdriver.Chrome
) -> None:
    send = "XMLHttpRequest.prototype.send"
    await asyncio.to_thread(
        driver.execute_script, f"window.sends = {send}; {send} = function () {{ this.dispatchEvent(new Event('error')); }}"
    )
    await widget.press("Record a voice message")
    await widget.shows("root.querySelector('.clock').textContent === '0:01'")
    await widget.press("Send")
    await widget.shows("root.querySelector('.chip.problem .retry')")
    await asyncio.to_thread(driver.execute_script, f"{send} = window.sends")
    await widget.shows("root.querySelector('.chip .retry').click() || true")
    await widget.shows("root.querySelector('.message.own')?.dataset.state === 'sent'")
    (message,) = chat.accepted
    assert isinstance(message.parts[0], AudioPart)


async def test_how_much_has_been_heard_is_shown(chat: Chat, widget: Widget) -> None:
    (conversation,) = chat.channel._connections._listeners
    chat.events.publish(Typing(conversation, "bot", heard=0.0))
    await widget.shows("root.querySelector('.typing').innerText.trim() === 'Listening…'")
    chat.events.publish(Typing(conversation, "bot", heard=0.4))
    await widget.shows("root.querySelector('.typing').innerText.replace(/\\s+/g, ' ').trim() === 'Listening… 40%'")
    chat.events.publish(Typing(conversation, "bot"))
    await widget.shows("root.querySelector('.typing').innerText.trim() === 'Assistant is typing'")
