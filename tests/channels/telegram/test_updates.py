"""Long polling: what is acknowledged when, and what is done when it cannot go on."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from frontdesk.channels.telegram import updates
from frontdesk.channels.telegram.updates import Polling
from frontdesk.core.errors import InvalidInput, Unavailable


def message(update: int, chat: int = 1, text: str = "hello") -> dict[str, Any]:
    return {"update_id": update, "message": {"message_id": update, "chat": {"id": chat}, "text": text}}


class Telegram:
    """Answers the polls one after the other with what it is given, then ends the test."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.answers = list(answers)
        self.offsets: list[int | None] = []

    async def call(self, method: str, values: dict[str, Any], *, seconds: float | None = None) -> Any:
        assert method == "getUpdates"
        assert seconds is not None
        assert seconds > values["timeout"]
        self.offsets.append(values.get("offset"))
        if not self.answers:
            raise asyncio.CancelledError
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(updates.asyncio, "sleep", sleep)
    return slept


async def polled(answers: Sequence[Any], take: Any = None) -> tuple[Telegram, list[int]]:
    telegram, taken = Telegram(answers), []

    async def keep(raw: bytes) -> None:
        taken.append(msgspec.json.decode(raw)["update_id"])

    with pytest.raises(asyncio.CancelledError):
        await Polling(telegram, take or keep).run()  # type: ignore[arg-type]
    return telegram, taken


async def test_a_batch_is_confirmed_once_and_the_next_poll_asks_for_anything() -> None:
    telegram, taken = await polled([[message(7), message(8)], [], [], [message(3)], []])
    assert taken == [7, 8, 3]
    assert telegram.offsets == [None, 9, None, None, 4, None]


async def test_ids_that_jump_down_lose_nothing() -> None:
    telegram, taken = await polled([[message(900)], [message(5)], [message(6)], []])
    assert taken == [900, 5, 6]
    assert telegram.offsets == [None, 901, 6, 7, None]


async def test_what_the_store_cannot_keep_is_not_confirmed(pauses: list[float]) -> None:
    refused: list[int] = []

    async def refuse_once(raw: bytes) -> None:
        number = msgspec.json.decode(raw)["update_id"]
        if number == 2 and not refused:
            refused.append(number)
            raise Unavailable("the disk is full", retry_after=3)

    telegram, _ = await polled([[message(1), message(2)], [message(1), message(2)], []], refuse_once)
    assert telegram.offsets == [None, None, 3, None]
    assert pauses == [3]


async def test_what_is_no_update_is_left_out_and_confirmed() -> None:
    async def refuse(raw: bytes) -> None:
        raise InvalidInput("this is not an update")

    telegram, _ = await polled([[message(1)], []], refuse)
    assert telegram.offsets == [None, 2, None]


async def test_chats_are_taken_side_by_side_and_each_in_order() -> None:
    order: list[tuple[int, int]] = []
    slow = asyncio.Event()

    async def take(raw: bytes) -> None:
        update = msgspec.json.decode(raw)
        chat, number = update["message"]["chat"]["id"], update["update_id"]
        if number == 1:
            await slow.wait()
        order.append((chat, number))
        if number == 4:
            slow.set()

    await polled([[message(1, 1), message(2, 1), message(3, 2), message(4, 2)]], take)
    assert order == [(2, 3), (2, 4), (1, 1), (1, 2)]


async def test_half_an_emoji_does_not_hold_the_batch() -> None:
    _, taken = await polled([[message(1, text="half \ud83d"), message(2)], []])
    assert taken == [1, 2]


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (NetworkError("HTTP 502"), 0.5),
        (RetryAfter(9), 9),
        (InvalidToken(), 10),
        (Conflict("terminated by other getUpdates request"), 5),
        (TelegramError("odd"), 0.5),
        ([{"no": "id"}], 0.5),
        ({"result": 1}, 0.5),
    ],
)
async def test_failures_are_waited_out_with_the_offset_kept(error: Any, pause: float, pauses: list[float]) -> None:
    telegram, taken = await polled([[message(1)], error, error, [message(2)], []])
    assert taken == [1, 2]
    assert telegram.offsets == [None, 2, 2, 2, 3, None]
    assert pauses[0] == pause
    assert len(pauses) == 2


async def test_a_webhook_that_was_set_meanwhile_is_deleted_again(pauses: list[float]) -> None:
    telegram = Telegram([Conflict("can't use getUpdates method while webhook is active")])

    async def take(raw: bytes) -> None:
        raise AssertionError

    with pytest.raises(Conflict):
        await Polling(telegram, take).run()  # type: ignore[arg-type]
