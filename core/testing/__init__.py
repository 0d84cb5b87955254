"""Fakes and contracts for tests: the project's own, and those of channel and store authors."""

from frontdesk.core.testing.channel import RecordingChannel
from frontdesk.core.testing.messages import a_message
from frontdesk.core.testing.stores import StoreContract

__all__ = ["RecordingChannel", "StoreContract", "a_message"]
