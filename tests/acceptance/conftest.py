"""A real server, started as an operator starts it, and real browsers."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from frontdesk.core.testing.platform import free_port

COMMAND = Path(sys.executable).with_name("frontdesk")
QUIET = ["gpu", "quic", "background-networking", "component-update", "sync"]


@dataclass
class Server:
    """`frontdesk run` on a folder of its own."""

    folder: Path
    port: int
    output: str = ""

    def start(self, seconds: float = 180) -> None:
        """Returns when the server is ready. What it prints is in `output`."""
        environment = {
            **os.environ,
            "FRONTDESK_DATA_FOLDER": str(self.folder / "data"),
            "FRONTDESK_WEB__PORT": str(self.port),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        self._log = (self.folder / "server.log").open("w+")
        self._process = subprocess.Popen([COMMAND, "run"], cwd=self.folder, env=environment, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + seconds
        while "Ctrl-C stops" not in self._read():  # the last line that it prints
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def stop(self) -> int:
        self._process.terminate()
        code = self._process.wait(90)
        self._read()
        self._log.close()
        return code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(60)
        self._log.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_link(self) -> str:
        found = re.search(r"http\S+/desk/welcome\?token=\S+", self.output)
        assert found, self.output
        return found[0]

    def _read(self) -> str:
        self.output = (self.folder / "server.log").read_text()
        return self.output


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), free_port())
    server.start()
    yield server
    assert server.stop() == 0


class Browser:
    """Headless Chromium. Every wait has a limit, and failures show what was looked for."""

    def __init__(self, profile: Path, *, width: int = 1280, height: int = 860, language: str = "en") -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in ["headless", "no-sandbox", "no-first-run", *(f"disable-{name}" for name in QUIET)]:
            options.add_argument(f"--{flag}")
        options.add_argument(f"--user-data-dir={profile}")
        options.add_argument(f"--window-size={width},{height}")
        options.add_argument(f"--lang={language}")
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        if width < 500:  # a window cannot be made narrower than that
            metrics = {"width": width, "height": height, "pixelRatio": 2.0, "touch": True}
            options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = 90) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if found := condition():
                    return found
            except (LookupError, StaleElementReferenceException, ElementNotInteractableException):
                pass
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds} s in vain for {what}")
            time.sleep(0.1)

    def find(self, selector: str) -> Any:
        return self.wait(selector, lambda: next(iter(self.driver.find_elements(By.CSS_SELECTOR, selector)), None))

    def close(self) -> None:
        self.driver.quit()


class Chat(Browser):
    """The customer at the chat page."""

    def open(self, address: str) -> None:
        self.driver.get(f"{address}/chat")
        launcher = self.wait("the launcher", lambda: self._inside(".launcher"))
        if launcher.get_attribute("aria-expanded") == "false":
            launcher.click()
        self.wait("the text box", lambda: self._inside("textarea").is_displayed())

    def says(self, text: str) -> None:
        box = self._inside("textarea")
        box.send_keys(text, Keys.ENTER)
        self.wait(f"the own message {text!r}", lambda: any(text in own for own in self.own()))

    def reads(self, *words: str) -> str:
        """Waits for a reply that has all the words, after the customer's last message."""

        def newest() -> str | None:
            after = self._messages()
            last_own = max((index for index, (side, _) in enumerate(after) if side == "own"), default=-1)
            replies = [text for side, text in after[last_own + 1 :] if side == "theirs"]
            return next((text for text in replies if all(word in text for word in words)), None)

        found: str = self.wait(f"a reply with {words}; the chat has {self._messages()}", newest)
        return found

    def presses(self, label: str) -> None:
        def pressed() -> bool:
            for button in reversed(self._all(".message .choice")):
                if button.text == label and button.is_enabled():
                    button.click()
                    return True
            return False

        self.wait(f"the button {label!r}", pressed)

    def own(self) -> list[str]:
        return [text for side, text in self._messages() if side == "own"]

    def replies(self) -> list[str]:
        return [text for side, text in self._messages() if side == "theirs"]

    def html_of_last(self, side: str) -> str:
        html: str = self._all(f".message.{side} .bubble")[-1].get_attribute("innerHTML")
        return html

    def _messages(self) -> list[tuple[str, str]]:
        rows = self.driver.execute_script(
            "const root = [...document.querySelectorAll('*')].find(e => e.shadowRoot)?.shadowRoot; if (!root) return [];"
            "const side = message => message.classList.contains('own') ? 'own' : 'theirs';"
            "return [...root.querySelectorAll('.message')].map(message => [side(message), message.innerText]);"
        )
        return [(side, text) for side, text in rows]

    def _root(self) -> Any:
        host = self.driver.execute_script("return [...document.querySelectorAll('*')].find(e => e.shadowRoot)")
        if host is None:
            raise LookupError("the widget is not there")
        return host.shadow_root

    def _inside(self, selector: str) -> Any:
        found = self._root().find_elements(By.CSS_SELECTOR, selector)
        if not found:
            raise LookupError(selector)
        return found[0]

    def _all(self, selector: str) -> list[Any]:
        found: list[Any] = self._root().find_elements(By.CSS_SELECTOR, selector)
        return found


class DeskPage(Browser):
    """The agent at the desk."""

    def sign_up(self, link: str, name: str, password: str) -> None:
        self.driver.get(link)
        self.find("input[name=name]").send_keys(name.lower())
        for field in self.driver.find_elements(By.CSS_SELECTOR, "input[name=display]"):
            field.clear()
            field.send_keys(name)
        for field in self.driver.find_elements(By.CSS_SELECTOR, "input[type=password]"):
            field.send_keys(password)
        self.find("button.primary, button[type=submit], form button:not(.link)").click()
        self.find("#inbox")

    def opens_waiting(self, words: str) -> None:
        """Opens the row of the queue that has the words."""

        def opened() -> bool:
            self._row(words).click()
            return True

        self.wait(f"a waiting conversation with {words!r}", opened)
        self.find("#transcript")

    def sees(self, words: str) -> None:
        self.wait(f"{words!r} at the desk", lambda: words in self.find("body").text)

    def replies(self, text: str) -> None:
        self.find("#text").send_keys(text)
        self.find("#send").click()

    def _row(self, words: str) -> Any:
        rows = self.driver.find_elements(By.CSS_SELECTOR, "#rows .row a")
        if (found := next((row for row in rows if words in row.text), None)) is None:
            raise LookupError(words)
        return found


@pytest.fixture(scope="session", autouse=True)
def _chromium() -> None:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        if os.environ.get("CI"):
            pytest.fail("Chromium and ChromeDriver must be there in CI")
        pytest.skip("Chromium and ChromeDriver are not installed")


@pytest.fixture
def screenshots() -> Path:
    folder = Path(os.environ.get("FRONTDESK_SCREENSHOTS", Path(__file__).parents[2] / "reports" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    browser = Chat(tmp_path / "chat-profile")
    yield browser
    browser.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskPage]:
    browser = DeskPage(tmp_path / "desk-profile")
    yield browser
    browser.close()
