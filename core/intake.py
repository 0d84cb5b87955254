"""The way in: what a channel has parsed is made durable here, and only then acknowledged."""

from frontdesk.core.errors import InvalidInput
from frontdesk.core.events import Accepted, Events
from frontdesk.core.messages import Message, storable
from frontdesk.core.metrics import Metrics
from frontdesk.core.store import Receipt, Store

MAX_TEXT = 100_000


class Intake:
    def __init__(self, store: Store, events: Events, metrics: Metrics) -> None:
        self._store = store
        self._events = events
        self._metrics = metrics

    async def accept(self, message: Message) -> Receipt:
        """Returns once the message is durable. A repetition is reported as a duplicate and dropped.

        Raises `InvalidInput` for a message that has nothing in it or more than `MAX_TEXT` characters, and `Unavailable`
        where the store cannot keep it: then the platform must send it again.
        """
        if not message.parts and message.kind == "new":
            raise InvalidInput("the message is empty")
        if len(message.text) > MAX_TEXT:
            raise InvalidInput(f"the message has more than {MAX_TEXT} characters", status=413)
        message = storable(message)
        receipt = await self._store.accept(message)
        self._metrics.accepted(message.channel, duplicate=receipt.duplicate)
        if not receipt.duplicate:
            self._events.publish(Accepted(message.conversation, message))
        return receipt
