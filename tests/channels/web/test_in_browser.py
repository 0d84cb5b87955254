"""The widget's script, in a real browser: what no test of the server can see."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from frontdesk.core.messages import Outgoing

from .conftest import Chat

CHROMIUM, CHROMEDRIVER = (str(shutil.which(name)) for name in ("chromium", "chromedriver"))

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="Chromium is not installed"),
]

READ = """
const root = document.querySelector("#frontdesk-chat").shadowRoot;
return [...root.querySelectorAll(".message")].map((one) => [
  one.querySelector(".bubble").innerText.trim(), one.classList.contains("edited") ? one.querySelector(".meta").innerText : ""]);
"""
OPEN = "return document.querySelector('#frontdesk-chat')?.shadowRoot.querySelector('.panel').dataset.state === 'online'"


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    yield driver
    driver.quit()


async def test_a_correction_takes_the_place_of_the_reply(chat: Chat, driver: webdriver.Chrome) -> None:
    async def shows(expected: Callable[[list[list[str]]], bool]) -> list[list[str]]:
        def wait() -> list[list[str]]:
            WebDriverWait(driver, 60, poll_frequency=0.05).until(lambda _: expected(driver.execute_script(READ)))
            shown: list[list[str]] = driver.execute_script(READ)
            return shown

        return await asyncio.to_thread(wait)

    async def says(text: str, replaces: str | None = None) -> Outgoing:
        reply = chat.reply(conversation, text, author="agent:Ann", replaces=replaces)
        await chat.commit(conversation, reply)
        await chat.channel.send(reply)
        return reply

    await asyncio.to_thread(driver.get, str(chat.client.make_url("/chat")))
    await chat.connected(1)
    (conversation,) = chat.channel._connections._listeners
    first = await says("At **nien**.")
    await says("Anything else?")
    assert await shows(lambda shown: len(shown) == 2) == [["At nien.", ""], ["Anything else?", ""]]
    second = await says("At **nine**.", first.id)
    (corrected, other) = await shows(lambda shown: shown[0][0] == "At nine.")
    assert corrected[1].startswith("edited")
    assert other == ["Anything else?", ""]
    await says("At ten.", second.id)
    await shows(lambda shown: [text for text, _ in shown] == ["At ten.", "Anything else?"])

    await asyncio.to_thread(driver.refresh)
    await shows(lambda shown: [text for text, _ in shown] == ["At ten.", "Anything else?"])
    assert not [line for line in driver.get_log("browser") if line["level"] == "SEVERE" and "favicon" not in line["message"]]
