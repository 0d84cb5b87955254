"""The agents' channel: posts, changes, and whispers there, within Slack's rate limits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from frontdesk.channels.slack.agents_settings import AgentsSettings
from frontdesk.channels.slack.client import Client, deliveries, reason
from frontdesk.channels.slack.incoming import text
from frontdesk.channels.slack.parse import Place
from frontdesk.channels.slack.settings import SlackSettings
from frontdesk.channels.slack.uploads import Uploads
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected
from frontdesk.core.messages import Attachment
from frontdesk.core.pacing import Pace, Rate

log = structlog.get_logger(__name__)

Block = dict[str, Any]

POSTED = "frontdesk_entry"
"""Type of the metadata by which a message is known again that was posted before its mark was committed."""
LOOKED_AT = 200
SENT, FAILED, INTERNAL = "white_check_mark", "warning", "lock"


class AgentsChannel:
    """All but the whispers raise `DeliveryDeferred` and `DeliveryRejected`."""

    def __init__(self, settings: AgentsSettings, slack: SlackSettings, workspaces: Workspaces, uploads: Uploads) -> None:
        self.id = settings.channel
        self.account = settings.account or ""
        self._workspaces = workspaces
        self._uploads = uploads
        self._pace = Pace(each=Rate(count=slack.burst, seconds=slack.burst / slack.messages_per_second))

    async def client(self) -> Client:
        return await self._workspaces.client(self.account)

    async def post(self, words: str, blocks: Sequence[Block], *, root: str | None, id: str) -> str:
        """Posts a message under an id of ours and returns its timestamp. Without a `root` it begins a thread."""
        await self._pace.wait(self.id)
        metadata = {"event_type": POSTED, "event_payload": {"id": id}}
        arguments: dict[str, Any] = {"channel": self.id, "text": words, "metadata": metadata, "unfurl_links": False}
        if root is not None:
            arguments["thread_ts"] = root
        client = await self.client()
        try:
            with self._obeyed():
                answer = await client.api_call("chat.postMessage", json={**arguments, "blocks": list(blocks)})
        except DeliveryRejected as error:
            if "invalid_blocks" not in str(error) and "msg_blocks_too_long" not in str(error):
                raise
            log.error("Slack refuses blocks of the agents' channel: the words go alone", reason=str(error))
            with self._obeyed():
                answer = await client.api_call("chat.postMessage", json=arguments)
        return str(answer["ts"])

    async def change(self, ts: str, words: str, blocks: Sequence[Block]) -> None:
        client = await self.client()
        with self._obeyed():
            await client.api_call("chat.update", json={"channel": self.id, "ts": ts, "text": words, "blocks": list(blocks)})

    async def upload(self, root: str, attachment: Attachment) -> None:
        await self._pace.wait(self.id)
        await self._uploads.send(await self.client(), Place(self.account, self.id, root), attachment)

    async def posted(self, root: str) -> dict[str, str]:
        """Our messages in a thread: their timestamps by our ids."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            messages, cursor = await self._look("conversations.replies", ts=root, cursor=cursor)
            found |= _by_id(messages)
            if not cursor:
                return found

    async def begun(self, since: float) -> dict[str, str]:
        """The first messages of our threads since then."""
        messages, _ = await self._look("conversations.history", oldest=f"{since:.6f}")
        return _by_id(messages)

    async def _look(self, method: str, **arguments: str) -> tuple[object, str]:
        """Messages and the cursor of those after them. None where the app lacks the scopes: then a post may come twice."""
        client = await self.client()
        wanted = {"channel": self.id, "limit": LOOKED_AT, "include_all_metadata": True, **arguments}
        try:
            with self._obeyed():
                answer = await client.api_call(method, params=wanted)
        except DeliveryRejected as error:
            log.info("what was posted before cannot be looked at", reason=str(error))
            return [], ""
        return answer.get("messages"), text(answer.get("response_metadata"), "next_cursor")

    async def whisper(self, user: str, root: str | None, words: str, blocks: Sequence[Block] = ()) -> None:
        """What only this agent reads. It makes things clearer, and may fail."""
        arguments: dict[str, Any] = {"channel": self.id, "user": user, "text": words}
        if blocks:
            arguments["blocks"] = list(blocks)
        if root is not None:
            arguments["thread_ts"] = root
        await self._quietly("chat.postEphemeral", arguments)

    async def mark(self, ts: str, name: str) -> None:
        """A reaction that says what became of an agent's message. It may fail."""
        await self._quietly("reactions.add", {"channel": self.id, "timestamp": ts, "name": name})

    async def _quietly(self, method: str, arguments: dict[str, Any]) -> None:
        try:
            client = await self.client()
            await client.api_call(method, json=arguments)
        except SlackApiError as error:
            if reason(error) != "already_reacted":
                log.info("agents in Slack are not shown something", method=method, error=reason(error))
        except (DeliveryError, ClientError, TimeoutError, OSError) as error:
            log.info("agents in Slack are not shown something", method=method, error=type(error).__name__)

    @contextmanager
    def _obeyed(self) -> Iterator[None]:
        """As `deliveries`; when Slack asks for a pause, everything in the channel waits."""
        try:
            with deliveries():
                yield
        except DeliveryDeferred as deferred:
            if deferred.retry_after:
                self._pace.hold(deferred.retry_after, self.id)
            raise


def _by_id(messages: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for message in messages if isinstance(messages, list) else ():
        if text(message, "metadata", "event_type") == POSTED and (id := text(message, "metadata", "event_payload", "id")):
            found[id] = text(message, "ts")
    return found
