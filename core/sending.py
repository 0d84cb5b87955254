"""Replies that a platform takes in several pieces."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

P = TypeVar("P")

REMEMBERED = 10_000


class Pieces:
    """Remembers which pieces of a reply have gone out, so that one that was deferred midway goes on where it stopped.

    Kept in memory: after a crash a reply in several pieces is sent from its first piece again.
    """

    def __init__(self) -> None:
        self._sent: OrderedDict[str, list[str]] = OrderedDict()

    async def send(self, id: str, pieces: Sequence[P], send: Callable[[P], Awaitable[str]]) -> list[str]:
        """Sends what has not been sent of the reply `id`, in order, and returns the platform's ids of all pieces.

        Raises what `send` raises. The pieces must be the same at every try.
        """
        sent = self._sent.setdefault(id, [])
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        for piece in pieces[len(sent) :]:
            sent.append(await send(piece))
        self._sent.pop(id, None)
        return sent
