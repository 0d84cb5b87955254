"""Whole conversations. The bot is shared: each test has a conversation of its own."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from frontdesk.core.models import Models
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.turn import Turn
from frontdesk.plugins.feedback import Rating, Ratings, plugin
from frontdesk.testing import Bot

shop = Plugin("shop")


@shop.pattern("^(done|好了)$")
async def done(turn: Turn) -> Reply:
    return Reply("Good.", resolves=True)


@shop.pattern("opening hours|3 kettles")
async def hours(turn: Turn) -> Reply:
    return Reply("From nine to five.")


@pytest.fixture(scope="module")
def bot() -> Iterator[Bot]:
    with Bot(plugin, shop, models=Models(), limits=TurnLimits(seconds=20)) as bot:
        yield bot


@pytest.fixture
def ratings(bot: Bot) -> Callable[[str], list[Rating]]:
    kept: Ratings = bot.app.registry._provided[Ratings]

    def of(conversation: str) -> list[Rating]:
        newest = asyncio.run_coroutine_threadsafe(kept.newest(), bot._loop).result(10)
        return [rating for rating in newest if rating.conversation == f"test:{conversation}"]

    return of


def test_a_rating_is_asked_for_and_kept(bot: Bot, ratings: Callable[[str], list[Rating]]) -> None:
    answer, question = bot.says("done", conversation="rated")
    assert answer.text == "Good."
    assert [choice.value for choice in question.choices] == ["1", "2", "3", "4", "5"]
    (thanks,) = bot.presses("5 – very good", conversation="rated")
    assert "Thank you" in thanks.text
    (rating,) = ratings("rated")
    assert (rating.rating, rating.comment, rating.language) == (5, None, "en")


def test_a_comment_can_be_added(bot: Bot, ratings: Callable[[str], list[Rating]]) -> None:
    bot.says("好了", conversation="comment")
    bot.says("4", conversation="comment")
    (question,) = bot.presses("补充评论", conversation="comment")
    assert "意见" in question.text
    bot.says("很快，谢谢", conversation="comment")
    (rating,) = ratings("comment")
    assert (rating.rating, rating.comment, rating.language) == (4, "很快，谢谢", "zh")


@pytest.mark.parametrize(
    ("text", "rating", "comment"),
    [
        ("3", 3, None),
        ("4/5", 4, None),
        ("5 stars!", 5, None),
        ("2, too slow", 2, "too slow"),
        ("五星 5分", None, None),
        ("5分", 5, None),
    ],
)
def test_ratings_in_words(
    bot: Bot, ratings: Callable[[str], list[Rating]], text: str, rating: int | None, comment: str | None
) -> None:
    bot.says("done", conversation=text)
    bot.says(text, conversation=text)
    assert [(kept.rating, kept.comment) for kept in ratings(text)] == ([(rating, comment)] if rating else [])


def test_other_words_are_answered_as_ever_and_nothing_is_repeated(bot: Bot, ratings: Callable[[str], list[Rating]]) -> None:
    bot.says("done", conversation="other")
    (answer,) = bot.says("3 kettles please, what are your opening hours?", conversation="other")
    assert answer.text == "From nine to five."
    assert bot.state("other").question is None
    assert ratings("other") == []


def test_a_conversation_is_asked_once(bot: Bot) -> None:
    assert len(bot.says("done", conversation="once")) == 2
    assert len(bot.says("done", conversation="once")) == 1
    assert len(bot.resolve("once")) == 0


def test_an_agent_resolves(bot: Bot, ratings: Callable[[str], list[Rating]]) -> None:
    bot.says("what are your opening hours", conversation="agent")
    (question,) = bot.resolve("agent")
    assert "rating" in question.text
    bot.presses("1 – bad", conversation="agent")
    assert [rating.rating for rating in ratings("agent")] == [1]


def test_an_old_button_rates_nothing_again(bot: Bot, ratings: Callable[[str], list[Rating]]) -> None:
    bot.says("done", conversation="again")
    bot.presses("2 – poor", conversation="again")
    bot.presses("5 – very good", conversation="again")
    assert [rating.rating for rating in ratings("again")] == [2]


def test_nothing_to_comment_on(bot: Bot) -> None:
    (reply,) = bot.says("/comment great", conversation="nothing")
    assert "nothing to comment on yet" in reply.text


def test_after_the_quiet_time_it_asks_again() -> None:
    with Bot(plugin, shop, models=Models(), settings={"feedback": {"again_after_hours": 0}}) as bot:
        assert [len(bot.says("done")), len(bot.says("done"))] == [2, 2]


async def test_the_first_rating_of_a_resolution_stays(tmp_path: Path) -> None:
    ratings = await Ratings.open(tmp_path / "feedback.sqlite3")
    first = Rating(id="r1", conversation="c", rating=4, language="en", at=datetime(2026, 5, 4, tzinfo=UTC))
    await ratings.keep(first)
    await ratings.keep(Rating(id="r1", conversation="c", rating=1, language="en", at=datetime(2026, 5, 5, tzinfo=UTC)))
    assert await ratings.newest() == [first]
    await ratings.close()
    again = await Ratings.open(tmp_path / "feedback.sqlite3")
    assert await again.newest() == [first]
    await again.close()
