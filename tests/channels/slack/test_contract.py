import pytest

from frontdesk.core.testing.channels import ChannelContract

from .platform import SlackPlatform


class TestOverHttp(ChannelContract):
    @pytest.fixture
    def platform(self) -> SlackPlatform:
        return SlackPlatform()


class TestOverSocketMode(ChannelContract):
    @pytest.fixture
    def platform(self) -> SlackPlatform:
        return SlackPlatform(socket_mode=True)
