import pytest

from frontdesk.core.testing import ChannelContract, Platform

from .platform import Caller


class TestVoice(ChannelContract):
    """Callers fetch the replies: there is no platform that could refuse one, or a credential."""

    test_what_the_platform_does_not_take_now_is_sent_later_in_order = None  # type: ignore[assignment]
    test_what_the_platform_refuses_is_a_dead_letter_and_the_next_one_passes = None  # type: ignore[assignment]
    test_credentials_are_checked = None  # type: ignore[assignment]

    @pytest.fixture
    def platform(self) -> Platform:
        return Caller()
