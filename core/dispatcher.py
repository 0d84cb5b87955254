"""The way out: sends what waits in the outbox, in order per conversation, until the platform has taken it or said no."""

import asyncio
from collections.abc import Mapping
from functools import partial
from time import perf_counter

import structlog

from frontdesk.core.channel import Channel
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected
from frontdesk.core.events import Delivered, Events
from frontdesk.core.metrics import Metrics
from frontdesk.core.store import Delivery, Store
from frontdesk.core.tasks import FAILURES, Tasks, backoff, being_cancelled, when_writable
from frontdesk.core.watchdog import Watchdog

log = structlog.get_logger(__name__)

SEND_SECONDS = 60.0
MAX_ATTEMPTS = 12
"""With the backoff these take about ten minutes; a platform that names its own time is waited for as long as it says."""
CONCURRENT_SENDS = 100


class Dispatcher:
    """Each channel has so many sends at once at most, so that a slow platform delays only its own conversations."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], events: Events, metrics: Metrics) -> None:
        self._store = store
        self._channels = channels
        self._events = events
        self._metrics = metrics
        self._free = {name: asyncio.Semaphore(CONCURRENT_SENDS) for name in channels}
        self._watchdog = Watchdog(SEND_SECONDS)
        self._tasks = Tasks()

    async def run(self) -> None:
        """Sends until it is cancelled or the store is closed."""
        async for delivery in self._store.deliveries():
            self._tasks.start(self._send(delivery))

    async def drain(self, seconds: float) -> None:
        """Lets the sends under way finish, and what waits behind them in their conversations follow, while `run` still runs."""
        if late := await self._tasks.drain(seconds):
            log.warning("sends cut off at shutdown", sends=late)

    async def _send(self, delivery: Delivery) -> None:
        outgoing = delivery.outgoing
        channel = self._channels.get(outgoing.channel)
        if channel is None:
            await self._bury(delivery, f"no channel is named {outgoing.channel!r}: enable it in `channels` and replay this")
            return
        started = perf_counter()
        try:
            async with self._free[outgoing.channel], self._watchdog.watch():
                platform_id = await channel.send(outgoing)
        except DeliveryRejected as error:
            self._metrics.delivery(outgoing.channel, "dead", perf_counter() - started)
            await self._bury(delivery, str(error))
        except FAILURES as error:
            if being_cancelled():
                raise
            self._metrics.delivery(outgoing.channel, "deferred", perf_counter() - started)
            await self._defer(delivery, error)
        else:
            self._metrics.delivery(outgoing.channel, "sent", perf_counter() - started)
            await self._mark_sent(delivery, platform_id)

    async def _mark_sent(self, delivery: Delivery, platform_id: str | None) -> None:
        """The platform has it: only the mark may be tried again, never the sending."""
        await when_writable(partial(delivery.sent, platform_id), id=delivery.outgoing.id)
        self._events.publish(Delivered(delivery.outgoing.conversation, delivery.outgoing.id))

    async def _defer(self, delivery: Delivery, error: BaseException) -> None:
        asked = error.retry_after if isinstance(error, DeliveryDeferred) else None
        if asked is not None and not asked > 0:  # "at once" is no time to wait, and would be asked without end
            asked = None
        reason = str(error) if isinstance(error, DeliveryDeferred) else type(error).__name__
        if delivery.attempts + 1 >= MAX_ATTEMPTS and asked is None:
            await self._bury(delivery, f"given up after {delivery.attempts + 1} attempts: {reason}")
            return
        log.warning("a delivery is tried again", id=delivery.outgoing.id, channel=delivery.outgoing.channel, error=reason)
        delay = asked if asked is not None else backoff(delivery.attempts)
        await when_writable(partial(delivery.retry, delay, reason), id=delivery.outgoing.id)

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        log.error("a delivery is dead", id=delivery.outgoing.id, channel=delivery.outgoing.channel, error=reason)
        await when_writable(partial(delivery.bury, reason), id=delivery.outgoing.id)
        self._events.publish(Delivered(delivery.outgoing.conversation, delivery.outgoing.id, error=reason))
