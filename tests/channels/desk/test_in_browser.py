"""The page's script, in a real browser: what no test of the server can see."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from frontdesk.core.events import Changed, Typing
from frontdesk.core.handoff import HandoffService
from frontdesk.core.messages import Contact, Outgoing

from .conftest import PASSWORD, World, message

T = TypeVar("T")

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="Chromium is not installed"),
]

SECONDS = 60
"""On a busy machine a browser can take a while; when all is well nobody waits."""
QUIET = ["quic", "background-networking", "component-update", "sync"]


class Page:
    """A browser in a thread, so that the server in the event loop can answer it."""

    def __init__(self, profile: Path, address: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
        for flag in flags + [f"--disable-{name}" for name in QUIET]:
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.address = address

    def open(self, path: str) -> None:
        self.driver.get(self.address + path)

    def find(self, selector: str) -> Any:
        return WebDriverWait(self.driver, SECONDS).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def until(self, condition: Callable[[], bool]) -> None:
        WebDriverWait(self.driver, SECONDS, ignored_exceptions=(Exception,)).until(lambda _: condition())

    def click(self, selector: str) -> None:
        """Also if the page puts another element in its place just then."""

        def clicked() -> bool:
            self.find(selector).click()
            return True

        self.until(clicked)

    def log_in(self) -> None:
        self.open("/desk/login")
        self.find("[name=name]").send_keys("ana")
        self.find("[name=password]").send_keys(PASSWORD, Keys.ENTER)
        self.find("#inbox")


@pytest.fixture
async def page(world: World, tmp_path: Path) -> AsyncIterator[Page]:
    await world.member("ana", "Ana")
    live = asyncio.create_task(world.desk.run())
    address = str(world.browser().client.make_url("")).rstrip("/")
    page = await asyncio.to_thread(Page, tmp_path / "profile", address)
    try:
        await asyncio.to_thread(page.log_in)
        yield page
    finally:
        await asyncio.to_thread(page.driver.quit)
        live.cancel()


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def says(world: World, text: str) -> None:
    words = message("web:1", text)
    world.events.publish(Changed(await world.add("web:1", words), (words,)))


async def test_a_draft_survives_what_happens_meanwhile_and_is_then_sent(world: World, page: Page) -> None:
    await world.conversation(owner="queue")

    def begin() -> None:
        page.open("/desk")
        page.click("#rows a")
        page.find("#text").send_keys("Good mor")

    await in_thread(begin)
    world.events.publish(Typing("web:1", "contact"))
    await in_thread(lambda: page.until(lambda: "Kim is typing" in page.find("#typing").text))
    await says(world, "Are you there?")

    def go_on() -> None:
        page.until(lambda: "Are you there?" in page.find("#recent").text)
        assert page.driver.switch_to.active_element.get_attribute("id") == "text"
        page.driver.switch_to.active_element.send_keys("ning")
        page.driver.refresh()
        page.until(lambda: page.find("#text").get_attribute("value") == "Good morning")
        page.find("#text").send_keys(Keys.CONTROL, Keys.ENTER)
        page.until(lambda: "Good morning" in page.find("#recent").text)
        page.until(lambda: page.find("#text").get_attribute("value") == "")
        assert "Yours" in page.find("#head").text

    await in_thread(go_on)
    assert [body.text for body in await world.bodies() if isinstance(body, Outgoing)] == ["Good morning"]


async def test_the_desk_works_by_keyboard(world: World, page: Page) -> None:
    await world.conversation(owner="queue")

    def press() -> None:
        page.open("/desk")
        page.find("body").send_keys("j")
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.find("#act-take")
        page.find("body").send_keys("t")
        page.until(lambda: "Yours" in page.find("#head").text)
        page.find("body").send_keys("n")
        page.driver.switch_to.active_element.send_keys("remember this", Keys.CONTROL, Keys.ENTER)
        page.until(lambda: "Internal note by Ana" in page.find("#recent").text)
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.find("body").send_keys("?")
        page.until(lambda: page.find("#keys").get_attribute("open") is not None)

    await in_thread(press)
    assert not [body for body in await world.bodies() if isinstance(body, Outgoing)]


async def test_going_back_in_time_keeps_the_place(world: World, page: Page) -> None:
    await world.conversation("web:1", *(message("web:1", f"number {number}.") for number in range(1, 151)))

    def scroll() -> None:
        page.open("/desk/c/web%3A1?tab=bot")
        top = "return document.getElementById('transcript').scrollTop"
        page.until(lambda: page.driver.execute_script(top) > 1000)
        page.driver.execute_script("document.getElementById('transcript').scrollTop = 0")
        page.until(lambda: "number 31." in page.find("#transcript").text and page.driver.execute_script(top) > 1000)
        assert "number 30." not in page.find("#transcript").text

    await in_thread(scroll)


async def test_nothing_that_a_customer_writes_runs(world: World, page: Page) -> None:
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    await world.conversation("web:1", message("web:1", attack), owner="queue")

    def look() -> None:
        page.open("/desk/c/web%3A1")
        page.until(lambda: attack in page.find("#recent").text)

    await in_thread(look)
    await says(world, attack)

    def look_again() -> None:
        page.until(lambda: page.find("#recent").text.count(attack) == 2)
        assert "owned" not in page.driver.title

    await in_thread(look_again)


async def test_a_reply_is_corrected_and_the_draft_comes_back(world: World, page: Page) -> None:
    await world.conversation(owner="queue")

    def write() -> None:
        page.open("/desk/c/web%3A1")
        page.find("#text").send_keys("At nien.", Keys.CONTROL, Keys.ENTER)
        page.until(lambda: "At nien." in page.find("#recent").text)
        page.until(lambda: page.find("#text").get_attribute("value") == "")
        page.find("#text").send_keys("By the way")
        page.click("[data-correct][data-text]")
        assert page.find("#text").get_attribute("value") == "At nien."
        assert page.find("#correcting").is_displayed()
        assert not page.find(".attach").is_displayed()
        page.find("#text").send_keys(Keys.ESCAPE)
        assert page.find("#text").get_attribute("value") == "By the way"
        assert not page.find("#correcting").is_displayed()

        page.click("[data-correct][data-text]")
        page.find("#text").clear()
        page.find("#text").send_keys("At nine.", Keys.CONTROL, Keys.ENTER)
        page.until(lambda: "At nine." in page.find("#recent").text)
        page.until(lambda: page.find("#text").get_attribute("value") == "By the way")
        assert page.find("#composer").get_attribute("data-mode") == "reply"
        assert "CORRECTED" in page.find("#recent").text.upper()

    await in_thread(write)
    replies = [body for body in await world.bodies() if isinstance(body, Outgoing)]
    assert [(body.text, body.replaces) for body in replies] == [("At nien.", None), ("At nine.", replies[0].id)]


async def test_two_accounts_are_linked_and_separated(world: World, page: Page) -> None:
    for id, name in (("telegram:17", "Kim"), ("email:t1", "Kim Lee")):
        contact = Contact(id=id, name=name, verified=True)
        await world.conversation(id, message(id, f"hello from {name}", contact=contact), contact=contact, owner="queue")

    stranger = Contact(id="x", name="Mallory Lee")
    await world.conversation("email:x", contact=stranger)

    def link() -> None:
        page.driver.set_window_size(1400, 900)
        page.open("/desk/c/telegram%3A17")
        page.click("#act-link")
        page.until(lambda: page.driver.switch_to.active_element.get_attribute("id") == "link-words")
        page.find("#link-words").send_keys("mallory")
        page.click("#found button")
        page.until(lambda: "does not prove who Mallory Lee is" in page.find("#dialog .problem").text)
        page.find("#link-words").clear()
        page.find("#link-words").send_keys("kim lee")
        page.until(lambda: "Kim Lee" in page.find("#found button").text)
        page.click("#found button")
        page.click("#link-yes")
        page.until(lambda: "linked by Ana" in page.find("#people").text)
        assert not page.driver.find_elements(By.CSS_SELECTOR, "#dialog[open]")
        page.click("#people .related a")
        page.until(lambda: page.find(".talk").get_attribute("data-conversation") == "email:t1")
        page.until(lambda: "hello from Kim" in page.find("#people .account").text)
        page.click("#people button.link")
        page.click("#unlink-yes")
        page.until(lambda: "Not linked" in page.find("#people").text)

    await in_thread(link)


async def test_a_colleagues_conversation_is_taken_over_after_a_question(world: World, page: Page) -> None:
    await world.conversation(owner="agent", agent="Bo")

    def write() -> None:
        page.open("/desk/c/web%3A1")
        page.find("#text").send_keys("Mine now.", Keys.CONTROL, Keys.ENTER)
        page.until(lambda: "Bo has this conversation" in page.find("#dialog[open]").text)
        page.click("#dialog [data-send-over]")
        page.until(lambda: "Mine now." in page.find("#transcript").text)
        assert not page.driver.find_elements(By.CSS_SELECTOR, "#dialog[open]")

    await in_thread(write)
    state = await world.store.conversation("web:1")
    assert state is not None
    assert state.agent == "Ana"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Replies are not taken before it is set."""
    held = asyncio.Event()
    reply = HandoffService.reply

    async def slow(*args: Any, **values: Any) -> Any:
        await held.wait()
        return await reply(*args, **values)

    monkeypatch.setattr(HandoffService, "reply", slow)
    return held


async def test_what_is_written_while_a_reply_is_sent_stays(world: World, page: Page, held: asyncio.Event) -> None:
    await world.conversation(owner="queue")

    def write() -> None:
        page.open("/desk/c/web%3A1")
        page.find("#text").send_keys("First.", Keys.CONTROL, Keys.ENTER)
        page.find("#text").send_keys(" Second.")

    await in_thread(write)
    held.set()

    def look() -> None:
        page.until(lambda: "First." in page.find("#recent").text)
        page.until(lambda: page.find("#text").get_attribute("value") == "Second.")

    await in_thread(look)


async def test_a_reply_that_arrives_late_changes_nothing_elsewhere(world: World, page: Page, held: asyncio.Event) -> None:
    await world.conversation("web:1", owner="queue")
    await world.conversation("web:2", owner="queue")

    def write() -> None:
        page.open("/desk/c/web%3A1")
        page.find("#text").send_keys("First.", Keys.CONTROL, Keys.ENTER)
        page.click('#rows a[data-id="web:2"]')
        page.until(lambda: page.find(".talk").get_attribute("data-conversation") == "web:2")
        page.find("body").send_keys("n")
        page.find("#text").send_keys("for us only")

    await in_thread(write)
    held.set()

    def look() -> None:
        answered = "return performance.getEntriesByType('resource').some(one => one.name.endsWith('/send') && one.responseStatus)"
        page.until(lambda: page.driver.execute_script(answered))
        page.driver.execute_async_script("setTimeout(arguments[0], 100)")  # what listens to the answer goes first
        assert page.find("#composer").get_attribute("data-mode") == "note"
        assert page.find("#text").get_attribute("value") == "for us only"
        page.open("/desk/c/web%3A1")
        assert page.find("#text").get_attribute("value") == ""

    await in_thread(look)
