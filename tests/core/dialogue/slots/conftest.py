from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from frontdesk.core.dialogue.slots import SlotContext, SlotType


@pytest.fixture
def values() -> Callable[..., list[Any]]:
    """The values a slot type finds on Wednesday, 14 May 2025, 10:00 in Berlin."""

    def find(
        slot: type[SlotType[Any]], text: str, language: str = "en", *, region: str = "US", answering: bool = True
    ) -> list[Any]:
        now = datetime(2025, 5, 14, 8, tzinfo=UTC)
        zone = ZoneInfo("Europe/Berlin")
        context = SlotContext(language=language, now=now, timezone=zone, region=region, answering=answering)
        found = slot.find(text, context)
        assert all(text[one.start : one.end] == one.text for one in found)
        return [one.value for one in found]

    return find
