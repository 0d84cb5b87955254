"""A day's budget holds, whoever asks at the same time and however often the process is started anew."""

import asyncio
import sqlite3
from datetime import date

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatRequest, Usage
from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.remote.ledger import BudgetSpent, DayUsage, Ledger
from frontdesk.testing.openai import FakeOpenAI, Fault

pytestmark = needs("openai", "jsonschema")

USAGE = Usage(prompt=10, completion=5, cost=2.0)


@pytest.fixture
async def ledger(tmp_path):
    ledger = Ledger(tmp_path)
    yield ledger
    await ledger.close()


@pytest.fixture
async def service():
    async with FakeOpenAI("openai") as service:
        yield service


async def spend(ledger, conversation="a", model="m", budget=None):
    return await ledger.settle(await ledger.reserve(model, 2.0, budget=budget), conversation, USAGE)


async def test_a_day_s_usage_is_added_up_by_model(ledger):
    assert await ledger.usage() == []
    assert await spend(ledger, "a")
    assert not await spend(ledger, "a")
    assert await spend(ledger, "b")
    assert await spend(ledger, "a", model="other")
    await ledger.reserve("m", 0.5, budget=None)
    assert await ledger.usage() == [
        DayUsage(model="m", calls=3, conversations=2, prompt=30, completion=15, cost=6.5, reserved=0.5),
        DayUsage(model="other", calls=1, conversations=1, prompt=10, completion=5, cost=2.0, reserved=0.0),
    ]


async def test_what_is_set_aside_counts(ledger):
    await ledger.reserve("m", 2.0, budget=5.0)
    held = await ledger.reserve("m", 2.0, budget=5.0)
    with pytest.raises(BudgetSpent):
        await ledger.reserve("m", 2.0, budget=5.0)
    await ledger.reserve("other", 2.0, budget=5.0)
    await ledger.settle(held, "", Usage())
    await ledger.reserve("m", 2.0, budget=5.0)


async def test_a_restart_forgets_nothing(ledger, tmp_path):
    await spend(ledger)
    await ledger.reserve("m", 2.0, budget=5.0)  # its call never ended
    await ledger.close()
    after = Ledger(tmp_path)
    with pytest.raises(BudgetSpent):
        await after.reserve("m", 2.0, budget=5.0)
    assert not await spend(after, "a")
    await after.close()


async def test_two_processes_share_a_budget(ledger, tmp_path):
    other = Ledger(tmp_path)

    async def one(ledger):
        try:
            await ledger.reserve("m", 1.0, budget=5.0)
        except BudgetSpent:
            return 0
        return 1

    assert sum(await asyncio.gather(*(one(each) for each in (ledger, other) for _ in range(6)))) == 5
    await other.close()


async def test_a_new_day_has_a_new_budget(tmp_path):
    today = date(2026, 2, 28)
    ledger = Ledger(tmp_path, today=lambda: today)
    held = await ledger.reserve("m", 5.0, budget=5.0)
    today = date(2026, 3, 1)
    await ledger.reserve("m", 5.0, budget=5.0)
    # A call over midnight belongs to the day on which it began.
    await ledger.settle(held, "a", USAGE)
    assert [usage.calls for usage in await ledger.usage(date(2026, 2, 28))] == [1]
    assert [usage.reserved for usage in await ledger.usage(today)] == [5.0]
    await ledger.close()


async def test_old_days_are_forgotten(tmp_path):
    today = date(2026, 1, 1)
    ledger = Ledger(tmp_path, today=lambda: today)
    await spend(ledger)
    await ledger.close()
    today = date(2026, 5, 1)
    assert await ledger.usage(date(2026, 1, 1)) == []
    await ledger.close()


async def test_dimensions_are_remembered(ledger, tmp_path):
    assert ledger.dimensions("m") is None
    await ledger.remember_dimensions("m", 384)
    assert Ledger(tmp_path).dimensions("m") == 384
    assert ledger.dimensions("other") is None


async def test_a_spent_budget_names_the_setting(service, chat_with):
    chat = chat_with(service, input_price=1e6, output_price=1e6, daily_budget=25)
    request = ChatRequest.of("one", max_tokens=10)
    service.say("two words")
    assert (await chat.complete(request)).usage.cost == 3.0
    service.say("two words")
    assert (await chat.complete(request)).usage.cost == 3.0
    with pytest.raises(ModelUnavailable, match=r"models\.chat\.daily_budget is 25"):
        await chat.complete(request)
    with pytest.raises(ModelUnavailable, match="daily_budget"):
        async for _ in chat.stream(request):
            pass
    assert len(service.requests) == 2
    again = chat_with(service, input_price=1e6, output_price=1e6, daily_budget=25)
    with pytest.raises(ModelUnavailable, match="daily_budget"):
        await again.complete(request)


async def test_nobody_overspends_side_by_side(service, chat_with):
    chat = chat_with(service, input_price=1e6, output_price=1e6, daily_budget=40)
    for _ in range(10):
        service.say("word " * 10)
    requests = (chat.complete(ChatRequest.of("one", max_tokens=10)) for _ in range(10))
    done = await asyncio.gather(*requests, return_exceptions=True)
    spent = sum(result.usage.cost for result in done if not isinstance(result, BaseException))
    assert 0 < spent <= 40
    assert {type(result) for result in done} > {ModelUnavailable}


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=429), Fault(status=400)])
async def test_what_was_not_computed_costs_nothing(fault, service, chat_with, tmp_path):
    chat = chat_with(service, input_price=1e6, output_price=1e6, daily_budget=100)
    service.fail(fault)
    with pytest.raises((ModelFailed, ModelUnavailable)):
        await chat.complete(ChatRequest.of("one", max_tokens=10))
    ledger = Ledger(tmp_path)
    assert await ledger.usage() == []
    await ledger.close()


async def test_what_was_heard_of_a_cancelled_stream_is_paid(service, chat_with, tmp_path):
    chat = chat_with(service, input_price=1e6, output_price=1e6, daily_budget=10_000)
    service.say("word " * 400, pause=0.005)
    stream = chat.stream(ChatRequest.of("Talk", max_tokens=1000))
    for _ in range(8):
        await anext(stream)
    await stream.aclose()
    await until(lambda: service.running == 0)
    ledger = Ledger(tmp_path)
    (usage,) = await ledger.usage()
    assert 8 <= usage.completion < 500
    assert usage.reserved == 0
    await ledger.close()


async def test_a_cancelled_call_is_booked_as_expected(service, chat_with, tmp_path):
    chat = chat_with(service, input_price=1e6, output_price=1e6)
    service.fail(Fault(hang=True))
    task = asyncio.create_task(chat.complete(ChatRequest.of("Hello", max_tokens=50)))
    await until(lambda: service.running == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    ledger = Ledger(tmp_path)

    async def settled():
        return bool(rows := await ledger.usage()) and rows[0].reserved == 0

    await until(settled)
    (usage,) = await ledger.usage()
    assert usage.completion == 50
    await ledger.close()


async def test_without_its_file_a_budget_stops_and_no_budget_goes_on(service, chat_with, tmp_path):
    db = sqlite3.connect(tmp_path / "models.db")
    db.execute("CREATE TABLE spent (nonsense)")
    db.commit()
    db.close()
    assert (await chat_with(service).complete(ChatRequest.of("Hello"))).text == "Hello"
    with pytest.raises(ModelUnavailable, match=r"models\.db"):
        await chat_with(service, input_price=1.0, daily_budget=5).complete(ChatRequest.of("Hello"))
