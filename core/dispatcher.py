"""The way out: sends what waits in the outbox, in order per conversation, until the platform has taken it or said no."""

import asyncio
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

import structlog

from frontdesk.core.channel import Channel
from frontdesk.core.errors import UNCERTAIN, DeliveryDeferred, DeliveryRejected, DeliveryUncertain, Unavailable
from frontdesk.core.events import Delivered, Events
from frontdesk.core.messages import Outgoing
from frontdesk.core.metrics import Metrics
from frontdesk.core.store import Delivery, Store
from frontdesk.core.tasks import FAILURES, Tasks, backoff, being_cancelled, when_writable
from frontdesk.core.watchdog import Watchdog

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 12
"""With the backoff these take about ten minutes. A platform that is out of reach is given its channel's `patience` besides, and
one that names its own time is waited for as long as it says."""
LONGEST_WAIT = 3600.0
CONCURRENT_SENDS = 250


class Dispatcher:
    """Each channel has so many sends at once at most, so that a slow platform delays only its own conversations.

    The channels named by `never_twice` rather leave a reply, for people to look at, than send it again when it is not known
    whether it arrived.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        events: Events,
        metrics: Metrics,
        *,
        never_twice: Container[str] = (),
    ) -> None:
        self._store = store
        self._channels = channels
        self._events = events
        self._metrics = metrics
        self._never_twice = never_twice
        self._free = {name: asyncio.Semaphore(CONCURRENT_SENDS) for name in channels}
        self._watchdogs = {name: Watchdog(channel.send_seconds) for name, channel in channels.items()}
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
            await channel.ready(outgoing.conversation)
            async with self._free[outgoing.channel], self._watchdogs[outgoing.channel].watch():
                if outgoing.channel in self._never_twice:
                    await delivery.begin()
                platform_id = await self._deliver(channel, outgoing)
        except DeliveryRejected as error:
            self._metrics.delivery(outgoing.channel, "dead", perf_counter() - started)
            await self._bury(delivery, str(error))
        except FAILURES as error:
            if being_cancelled():
                raise
            if outgoing.channel in self._never_twice and not isinstance(error, DeliveryDeferred | Unavailable):
                self._metrics.delivery(outgoing.channel, "dead", perf_counter() - started)
                await self._bury(delivery, UNCERTAIN)
                return
            self._metrics.delivery(outgoing.channel, "deferred", perf_counter() - started)
            await self._defer(delivery, channel, error)
        else:
            self._metrics.delivery(outgoing.channel, "sent", perf_counter() - started)
            await self._mark_sent(delivery, platform_id)

    async def _deliver(self, channel: Channel, outgoing: Outgoing) -> str | None:
        if outgoing.replaces and channel.capabilities.edits:
            earlier = await self._store.entry(outgoing.replaces)
            if earlier is not None and earlier.platform_id:
                try:
                    return await channel.edit(outgoing, earlier.platform_id)
                except DeliveryRejected as error:
                    log.info("a reply cannot be edited: it is sent anew", id=outgoing.id, error=str(error))
        return await channel.send(outgoing)

    async def _mark_sent(self, delivery: Delivery, platform_id: str | None) -> None:
        """The platform has it: only the mark may be tried again, never the sending."""
        await when_writable(partial(delivery.sent, platform_id), id=delivery.outgoing.id)
        self._events.publish(Delivered(delivery.outgoing.conversation, delivery.outgoing.id))

    async def _defer(self, delivery: Delivery, channel: Channel, error: BaseException) -> None:
        out_of_reach = isinstance(error, DeliveryDeferred | DeliveryUncertain)
        asked = error.retry_after if isinstance(error, DeliveryDeferred) else None
        if asked is not None and not asked > 0:  # "at once" is no time to wait, and would be asked without end
            asked = None
        reason = str(error) if out_of_reach else type(error).__name__
        patient = out_of_reach and datetime.now(UTC) - delivery.outgoing.at < channel.patience
        if delivery.attempts + 1 >= MAX_ATTEMPTS and asked is None and not patient:
            await self._bury(delivery, f"given up after {delivery.attempts + 1} attempts: {reason}")
            return
        log.warning("a delivery is tried again", id=delivery.outgoing.id, channel=delivery.outgoing.channel, error=reason)
        delay = min(asked, LONGEST_WAIT) if asked is not None else backoff(delivery.attempts)
        await when_writable(partial(delivery.retry, delay, reason), id=delivery.outgoing.id)

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        log.error("a delivery is dead", id=delivery.outgoing.id, channel=delivery.outgoing.channel, error=reason)
        await when_writable(partial(delivery.bury, reason), id=delivery.outgoing.id)
        self._events.publish(Delivered(delivery.outgoing.conversation, delivery.outgoing.id, error=reason))
