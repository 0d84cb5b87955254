"""Telegram's limits of rates, kept ahead of time.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: 30 messages a second to all chats together, one
a second to one chat, where short bursts pass, and 20 a minute to one group.
"""

from frontdesk.channels.telegram.addresses import Address
from frontdesk.channels.telegram.settings import TelegramSettings
from frontdesk.core.pacing import Pace, Rate

BURST = 3
"""So many messages may go to a private chat at once."""
MARGIN = 0.9
"""Of a limit that must not be passed in any period so much is used: messages do not arrive as evenly as they are sent."""


class Limits:
    def __init__(self, settings: TelegramSettings) -> None:
        self._overall = Pace(overall=_never_more(settings.messages_per_second, 1, burst=0.1))
        self._private = Pace(each=Rate(count=BURST, seconds=BURST / settings.chat_messages_per_second))
        self._groups = Pace(each=_never_more(settings.group_messages_per_minute, 60, burst=0.25))

    async def wait(self, address: Address) -> None:
        """Returns when one more message may be sent there, and counts it."""
        await self._of(address).wait(str(address.chat))
        await self._overall.wait("")

    def hold(self, seconds: float, address: Address) -> None:
        """Telegram has asked for a pause there."""
        self._of(address).hold(seconds, str(address.chat))

    def _of(self, address: Address) -> Pace:
        return self._groups if address.is_group else self._private


def _never_more(count: float, seconds: float, *, burst: float) -> Rate:
    """In no such period more than `count`: its share `burst` comes at once, and what is let pass meanwhile is less by that."""
    at_once = max(1.0, count * burst)
    later = max(count * MARGIN - at_once, count * burst)
    return Rate(count=at_once, seconds=seconds * at_once / later)
