"""What all channels must do, done by e-mail."""

import pytest

from frontdesk.core.testing.channels import ChannelContract
from frontdesk.core.testing.platform import Platform

from .platforms import InMemory, Real


class TestInMemory(ChannelContract):
    @pytest.fixture
    def platform(self) -> Platform:
        return InMemory()


class TestDovecotAndAiosmtpd(ChannelContract):
    @pytest.fixture
    def platform(self) -> Platform:
        return Real()
