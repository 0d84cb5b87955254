from collections.abc import Iterator

import pytest

from frontdesk.core.messages import Mark
from frontdesk.core.runner import TurnLimits
from frontdesk.plugins.courtesy import plugin
from frontdesk.testing import Bot


@pytest.fixture(scope="module")
def bot() -> Iterator[Bot]:
    with Bot(plugin, limits=TurnLimits(seconds=100), seconds=110) as bot:
        yield bot


@pytest.mark.parametrize(
    ("text", "answer", "resolves"),
    [
        ("hello there", "What can I do", False),
        ("good evening!", "What can I do", False),
        ("你好！", "有什么可以帮您", False),
        ("ok", "All right", False),
        ("actually yes", "All right", False),
        ("嗯，好的", "好的", False),
        ("what can you do for me?", "What is it about", False),
        ("help!", "What is it about", False),
        ("thanks a lot", "welcome", True),
        ("谢谢您", "不客气", True),
        ("goodbye", "nice day", True),
        ("再见！", "再见", True),
    ],
)
def test_courtesies(bot: Bot, text: str, answer: str, resolves: bool) -> None:
    (reply,) = bot.says(text, conversation=text)
    assert answer in reply.text
    marks = [entry.body.event for entry in bot.transcript(text) if isinstance(entry.body, Mark)]
    assert marks == (["resolved"] if resolves else [])


def test_small_talk_is_not_offered(bot: Bot) -> None:
    (reply,) = bot.says("/help", conversation="help")
    assert "Say hello" not in reply.text
    assert "`/help`" in reply.text
