"""A Telegram of one's own for tests: `async with FakeTelegram() as telegram: ...`."""

from frontdesk.testing.telegram.api import Call
from frontdesk.testing.telegram.faults import Fault, FloodLimits, broken, cut, refused, slow, too_many_requests
from frontdesk.testing.telegram.server import TOKEN, FakeTelegram
from frontdesk.testing.telegram.world import Business, Chat, Posted, User

__all__ = [
    "TOKEN",
    "Business",
    "Call",
    "Chat",
    "FakeTelegram",
    "Fault",
    "FloodLimits",
    "Posted",
    "User",
    "broken",
    "cut",
    "refused",
    "slow",
    "too_many_requests",
]
