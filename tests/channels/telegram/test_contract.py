"""What every channel must do, over both ways in which Telegram tells of updates."""

import pytest

from frontdesk.core.testing.channels import ChannelContract
from frontdesk.core.testing.platform import Platform

from .platform import TelegramPlatform


class TestWebhook(ChannelContract):
    @pytest.fixture
    def platform(self) -> Platform:
        return TelegramPlatform("webhook")


class TestPolling(ChannelContract):
    @pytest.fixture
    def platform(self) -> Platform:
        return TelegramPlatform("polling")
