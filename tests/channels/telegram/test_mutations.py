"""Payloads that Telegram never sends: nothing breaks, and nothing is asked for again for ever."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import FakeTelegram

from .platform import PAYLOADS, Hook, a_bot

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    -(2**63),
    2**63,
    10**400,
    1e308,
    1.5,
    "",
    " ",
    "\x00",
    "\ud800",
    "\U0001f600" * 3000,
    "x" * 20_000,
    "../../etc/passwd",
    "<b>",
    "-1001876543210",
    [],
    [None],
    [[]],
    ["x"] * 500,
    {},
    {"id": "x"},
    {"type": "private", "id": -5, "first_name": "\x00"},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    payload = copy.deepcopy(json.loads(PAYLOADS[draw(st.sampled_from(sorted(PAYLOADS)))].read_bytes()))
    for _ in range(draw(st.integers(1, 3))):
        paths = places(payload)
        if not paths:
            break
        *way, last = draw(st.sampled_from(paths))
        holder: Any = payload
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(["drop", "odd", "odd", "negate", "wrap", "copy"])):
            case "drop":
                del holder[last]
            case "odd":
                holder[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "negate":
                holder[last] = -holder[last] if isinstance(holder[last], int | float) else [holder[last]]
            case "wrap":
                holder[last] = {"x": holder[last]}
            case "copy":
                holder[last] = copy.deepcopy(payload)
    return json.dumps(payload, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@pytest.mark.asyncio(loop_scope="module")
@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(body=mutated())
async def test_no_mutation_of_a_payload_breaks_anything(hook: Hook, body: bytes) -> None:
    """What is no update any more is refused; whatever else is odd is taken or skipped, so that it is not sent for ever."""
    with capture_logs() as logs:
        status = await hook.post(body)
    try:
        payload = json.loads(body)
    except UnicodeDecodeError:
        payload = None
    identified = isinstance(payload, dict) and type(payload.get("update_id")) is int
    assert status == 200 if identified else status in (200, 400)
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def poller(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FakeTelegram]:
    folder = tmp_path_factory.mktemp("polled")
    async with FakeTelegram() as telegram, a_bot(telegram, folder, mode="polling"):
        await until(lambda: telegram.polled)
        yield telegram


@pytest.mark.asyncio(loop_scope="module")
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(bodies=st.lists(mutated(), min_size=5, max_size=20))
async def test_no_mutation_that_is_polled_holds_what_is_behind_it(poller: FakeTelegram, bodies: list[bytes]) -> None:
    for body in bodies:
        try:
            update = json.loads(body)
        except UnicodeDecodeError:
            continue
        if isinstance(update, dict):
            poller.deliver({**update, "update_id": poller.next_number() % 2**31})
    await poller.delivered(20)
