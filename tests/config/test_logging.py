"""Log lines: structured, with the conversation, and without words or secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from frontdesk.config.logging import configure
from frontdesk.config.settings import LoggingOptions
from frontdesk.core.errors import TransientError


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_words_and_secrets_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LoggingOptions(format="json"))
    structlog.contextvars.bind_contextvars(conversation="web:1")
    structlog.get_logger("x").info(
        "taken", text="my card is 4111", bot_token="t0p", url="https://me:pw@host/", options={"password": "p"}
    )
    (line,) = _lines(capsys)
    assert line["conversation"] == "web:1"
    assert (line["event"], line["level"], line["logger"]) == ("taken", "info", "x")
    assert "text" not in line
    assert (line["bot_token"], line["options"]["password"], line["url"]) == ("******", "******", "https://******@host/")


def test_words_are_logged_when_the_operator_asks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LoggingOptions(format="json", message_text=True))
    structlog.get_logger("x").info("taken", text="hello", token="t0p")
    (line,) = _lines(capsys)
    assert (line["text"], line["token"]) == ("hello", "******")


def test_an_exception_tells_its_place_but_not_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LoggingOptions(format="json"))
    for logger in (structlog.get_logger("x"), logging.getLogger("aiohttp.server")):
        try:
            try:
                raise KeyError(" ".join(["what", "somebody", "wrote"]))
            except KeyError as error:
                raise TransientError("the shop is closed") from error
        except TransientError:
            logger.exception("broke")
    for line in _lines(capsys):
        assert "test_logging.py" in line["exception"]
        assert "KeyError" in line["exception"]
        assert "TransientError: the shop is closed" in line["exception"]
        assert "what somebody wrote" not in line["exception"]


def test_libraries_speak_the_same_format_and_obey_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LoggingOptions(format="json", level="warning"))
    chatty = logging.getLogger("chatty")
    chatty.setLevel(logging.DEBUG)
    chatty.debug("no")
    chatty.warning("yes %s", 1)
    structlog.get_logger("x").info("no")
    (line,) = _lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("yes 1", "chatty", "warning")
