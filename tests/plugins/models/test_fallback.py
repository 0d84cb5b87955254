from contextlib import aclosing

import pytest

from frontdesk.core.chat import ChatMessage, ChatPiece, ChatRequest, ChatResult, Picture
from frontdesk.core.errors import ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.models import Abilities, ChatModel, ModelState
from frontdesk.plugins.models.fallback import Fallback


class Scripted:
    """A model that says its name, or fails: at once, or after some pieces."""

    def __init__(self, name, *, error=None, after=0, abilities=None, status="ready"):
        self.name = name
        self.error = error
        self.after = after
        self.abilities = abilities or Abilities()
        self.state = ModelState(status=status, detail=f"{name} is {status}")
        self.asked = 0
        self.calls = []

    async def start(self):
        self.calls.append("start")

    async def stop(self):
        self.calls.append("stop")
        if self.error is not None:
            raise self.error

    async def loaded(self):
        self.calls.append("loaded")
        if self.state.status == "failed":
            raise ModelUnavailable(self.state.detail)

    async def complete(self, request):
        self.asked += 1
        if self.error:
            raise self.error
        return ChatResult(text=self.name, model=self.name)

    async def stream(self, request):
        self.asked += 1
        for _ in range(self.after):
            yield ChatPiece(text=self.name)
        if self.error:
            raise self.error
        yield ChatPiece(text=self.name)
        yield ChatPiece(result=ChatResult(text=self.name, model=self.name))


HELLO = ChatRequest.of("Hello")
UNAVAILABLE, FAILED, REJECTED = ModelUnavailable("busy"), ModelFailed("broke"), PromptRejected("too long")


async def streamed(model: ChatModel, request=HELLO):
    async with aclosing(model.stream(request)) as pieces:
        return [piece async for piece in pieces]


async def test_the_first_answers_as_long_as_it_does():
    first, second = Scripted("first"), Scripted("second")
    model = Fallback(first, second)
    assert (await model.complete(HELLO)).model == "first"
    assert (await streamed(model))[-1].result.model == "first"
    assert second.asked == 0


@pytest.mark.parametrize("error", [UNAVAILABLE, FAILED])
async def test_the_second_answers_for_one_that_does_not(error):
    model = Fallback(Scripted("first", error=error), Scripted("second"))
    assert (await model.complete(HELLO)).model == "second"
    assert [piece.text for piece in await streamed(model)] == ["second", ""]


async def test_a_stream_changes_over_only_before_its_first_piece():
    second = Scripted("second")
    with pytest.raises(ModelFailed):
        await streamed(Fallback(Scripted("first", error=FAILED, after=1), second))
    assert second.asked == 0


async def test_the_second_s_failure_is_told():
    model = Fallback(Scripted("first", error=UNAVAILABLE), Scripted("second", error=FAILED))
    with pytest.raises(ModelFailed):
        await model.complete(HELLO)
    with pytest.raises(ModelFailed):
        await streamed(model)


@pytest.mark.parametrize(
    ("first", "second", "helps"),
    [
        (Abilities(context=512), Abilities(context=4096), True),
        (Abilities(context=512), Abilities(), True),
        (Abilities(context=512), Abilities(context=512), False),
        (Abilities(), Abilities(context=4096), False),
        (Abilities(), Abilities(pictures=True), False),
    ],
)
async def test_what_is_too_much_for_the_first_goes_to_a_second_that_takes_more(first, second, helps):
    model = Fallback(Scripted("first", error=REJECTED, abilities=first), Scripted("second", abilities=second))
    for ask in (model.complete, lambda request: streamed(model, request)):
        if helps:
            await ask(HELLO)
        else:
            with pytest.raises(PromptRejected):
                await ask(HELLO)


async def test_pictures_go_to_the_one_that_sees():
    second = Scripted("second", abilities=Abilities(pictures=True))
    model = Fallback(Scripted("first", error=REJECTED), second)
    seen = ChatRequest(messages=(ChatMessage(role="user", pictures=(Picture(data=b"x", media_type="image/png"),)),))
    assert (await model.complete(seen)).model == "second"


@pytest.mark.parametrize(
    ("first", "second", "status", "pictures"),
    [
        ("ready", "ready", "ready", False),
        ("loading", "ready", "ready", True),
        ("failed", "ready", "ready", True),
        ("ready", "failed", "ready", False),
        ("loading", "loading", "loading", False),
        ("failed", "loading", "failed", False),
    ],
)
def test_it_is_ready_as_soon_as_one_of_them_is(first, second, status, pictures):
    model = Fallback(Scripted("first", status=first), Scripted("second", status=second, abilities=Abilities(pictures=True)))
    assert model.state.status == status
    assert model.abilities.pictures is pictures


def test_a_fallback_that_has_failed_is_told_before_it_is_needed():
    model = Fallback(Scripted("first", status="ready"), Scripted("second", status="failed"))
    assert model.state.detail == "but its fallback second does not answer: second is failed"


async def test_both_are_started_and_stopped_whatever_happens():
    first, second = Scripted("first", error=FAILED, status="failed"), Scripted("second")
    model = Fallback(first, second)
    await model.start()
    await model.loaded()
    with pytest.raises(ModelFailed):
        await model.stop()
    assert first.calls == second.calls == ["start", "loaded", "stop"]


async def test_a_first_that_hangs_leaves_time_for_the_second():
    asked = []

    class Timed(Scripted):
        async def complete(self, request):
            asked.append(request.seconds)
            return await super().complete(request)

    request = ChatRequest.of("Hello", seconds=10.0)
    await Fallback(Timed("first", error=FAILED), Timed("second")).complete(request)
    assert asked[0] == pytest.approx(6.0)
    assert 4.0 <= asked[1] <= 10.0
