"""Posts replies, and puts a better version in the place of one that was posted."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from frontdesk.channels.slack import render
from frontdesk.channels.slack.client import Client, deliveries, reason
from frontdesk.channels.slack.incoming import find, text
from frontdesk.channels.slack.parse import Place
from frontdesk.channels.slack.render import Piece
from frontdesk.channels.slack.settings import SlackSettings
from frontdesk.channels.slack.uploads import Uploads
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected, DeliveryUncertain
from frontdesk.core.messages import Attachment, Outgoing
from frontdesk.core.pacing import Pace, Rate
from frontdesk.core.sending import Pieces

log = structlog.get_logger(__name__)

METADATA = "frontdesk_reply"
BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
SEARCHED = 100
"""So many of the newest messages are searched for one whose fate is not known."""
SKEW = timedelta(minutes=2)

Part = tuple[int, Piece | Attachment]


class Sender:
    """Slack takes no idempotency key. So each message carries the reply's id as metadata, and before one whose fate is not known
    (Slack's answer was lost, or the process ended in between) is posted again, the conversation is searched for it."""

    def __init__(self, settings: SlackSettings, workspaces: Workspaces, uploads: Uploads) -> None:
        self._workspaces = workspaces
        self._uploads = uploads
        burst = settings.burst
        self._channels = Pace(each=Rate(count=burst, seconds=burst / settings.messages_per_second))
        self._accounts = Pace(each=Rate(count=settings.workspace_messages_per_minute, seconds=60))
        self._held: dict[str, tuple[str, float]] = {}
        self._pieces = Pieces()
        self._unsure: set[str] = set()
        self._started = datetime.now(UTC)

    async def ready(self, place: Place) -> None:
        await self._channels.wait(_key(place))
        await self._accounts.wait(place.account)

    async def send(self, outgoing: Outgoing) -> str:
        """Returns the timestamps of the messages, and the ids of the files, joined by commas."""
        place = Place.of(outgoing.conversation)
        client = await self._workspaces.client(place.account)
        parts: list[Part] = list(enumerate([*render.pieces(outgoing), *outgoing.attachments]))
        waited = True  # the dispatcher has, for the first

        async def send(numbered: Part) -> str:
            nonlocal waited
            if not waited:
                await self.ready(place)
            waited = False
            number, part = numbered
            with self._limits(place):
                if isinstance(part, Attachment):
                    return await self._uploads.send(client, place, part)
                return await self._posted_once(client, place, outgoing, number, part)

        sent = await self._pieces.send(outgoing.id, parts, send)
        return ",".join(sent)

    async def edit(self, outgoing: Outgoing, platform_id: str) -> str:
        """Raises `DeliveryRejected` where Slack lets nobody change it any more."""
        place = Place.of(outgoing.conversation)
        client = await self._workspaces.client(place.account)
        earlier = [id for id in platform_id.split(",") if "." in id]
        if not earlier:
            raise DeliveryRejected("there is no message to change")
        newest: list[str] = []
        for number, piece in enumerate(render.pieces(outgoing)):
            if number:
                await self.ready(place)
            with self._limits(place):
                if number < len(earlier):
                    newest.append(await self._update(client, place, earlier[number], piece))
                else:
                    newest.append(await self._posted_once(client, place, outgoing, number, piece))
        for ts in earlier[len(newest) :]:
            await self._delete(client, place, ts)
        return ",".join(newest)

    async def _posted_once(self, client: Client, place: Place, outgoing: Outgoing, number: int, piece: Piece) -> str:
        key = f"{outgoing.id}#{number}"
        if (key in self._unsure or outgoing.at < self._started) and (ts := await self._find(client, place, outgoing, key)):
            self._unsure.discard(key)
            return ts
        try:
            ts = await self._post(client, place, piece, key)
        except DeliveryUncertain:
            self._unsure.add(key)
            raise
        self._unsure.discard(key)
        return ts

    async def _post(self, client: Client, place: Place, piece: Piece, key: str) -> str:
        arguments = {
            "channel": place.channel,
            "text": piece.text,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": METADATA, "event_payload": {"id": key}},
        }
        if piece.blocks:
            arguments["blocks"] = piece.blocks
        if place.thread:
            arguments["thread_ts"] = place.thread
        with deliveries():
            try:
                answer = await client.api_call("chat.postMessage", json=arguments)
            except SlackApiError as error:
                if not piece.blocks or reason(error) not in BAD_BLOCKS:
                    raise
                log.error("Slack does not take the form of a reply: it gets the words alone", id=key, error=reason(error))
                answer = await client.api_call("chat.postMessage", json={**arguments, "blocks": []})
        return str(answer["ts"])

    async def _update(self, client: Client, place: Place, ts: str, piece: Piece) -> str:
        with deliveries():
            await client.chat_update(channel=place.channel, ts=ts, text=piece.text, blocks=piece.blocks)
        return ts

    async def _delete(self, client: Client, place: Place, ts: str) -> None:
        """What the new version needs no more. A rest that cannot be deleted is no reason to send everything again."""
        try:
            with deliveries():
                await client.chat_delete(channel=place.channel, ts=ts)
        except DeliveryError as error:
            log.warning("a part of an earlier version stays", message=place.message(ts), error=str(error))

    async def _find(self, client: Client, place: Place, outgoing: Outgoing, key: str) -> str | None:
        """The message's timestamp, if it has arrived before."""
        wanted: dict[str, Any] = {
            "channel": place.channel,
            "oldest": f"{(outgoing.at - SKEW).timestamp():.6f}",
            "limit": SEARCHED,
            "include_all_metadata": True,
        }
        try:
            with deliveries():
                if place.thread:
                    answer = await client.conversations_replies(ts=place.thread, **wanted)
                else:
                    answer = await client.conversations_history(**wanted)
        except DeliveryRejected as error:
            log.info("Slack does not let us look whether a reply has arrived", id=key, error=str(error))
            return None
        except DeliveryUncertain as error:
            raise DeliveryDeferred(str(error)) from error  # only the question was lost
        found = answer.get("messages")
        for message in found if isinstance(found, list) else ():
            if text(message, "metadata", "event_type") == METADATA and find(message, "metadata", "event_payload", "id") == key:
                return text(message, "ts") or None
        return None

    @contextmanager
    def _limits(self, place: Place) -> Iterator[None]:
        """When Slack asks for a pause, the channel's other messages wait as well.

        Slack does not say whether it means the channel or the workspace: where it asks in a second channel meanwhile, the latter.
        """
        try:
            yield
        except DeliveryDeferred as error:
            if error.retry_after:
                self._channels.hold(error.retry_after, _key(place))
                channel, until = self._held.get(place.account, ("", 0.0))
                now = monotonic()
                if now < until and channel != place.channel:
                    self._accounts.hold(error.retry_after, place.account)
                self._held[place.account] = place.channel, now + error.retry_after
            raise


def _key(place: Place) -> str:
    return f"{place.account}:{place.channel}"
