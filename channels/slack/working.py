"""Shows that the bot works on an answer. Bots cannot type in Slack: there is a status in threads, and a reaction elsewhere."""

from collections import OrderedDict

import structlog
from slack_sdk.errors import SlackApiError

from frontdesk.channels.slack.client import Client, delivery_error, reason
from frontdesk.channels.slack.parse import Place
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import DeliveryRejected
from frontdesk.core.tasks import Tasks

log = structlog.get_logger(__name__)

REMEMBERED = 10_000
STATUS = "is working on it…"


class Working:
    """In a thread, Slack's own status, which ends with the reply. Elsewhere, or where the workspace has none, a reaction on the
    newest message, which is taken back once the reply is there."""

    def __init__(self, workspaces: Workspaces, reaction: str) -> None:
        self._workspaces = workspaces
        self._reaction = reaction
        self._newest: OrderedDict[str, str] = OrderedDict()
        self._shown: dict[str, str] = {}
        self._without_status: set[str] = set()
        self._tasks = Tasks()

    def written(self, conversation: str, ts: str) -> None:
        """The customer has written this."""
        self._newest[conversation] = ts
        self._newest.move_to_end(conversation)
        if len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)

    async def show(self, conversation: str) -> None:
        """Raises what calls of Slack raise."""
        place = Place.of(conversation)
        client = await self._workspaces.client(place.account)
        if place.thread and place.account not in self._without_status and await self._set_status(client, place):
            return
        ts = self._newest.get(conversation)
        if not self._reaction or ts is None or self._shown.get(conversation) == ts:
            return
        self._shown[conversation] = ts
        await client.reactions_add(channel=place.channel, name=self._reaction, timestamp=ts)
        if self._shown.get(conversation) != ts:  # the reply was faster
            await self._take_back(place, ts)

    def answered(self, conversation: str) -> None:
        """A reply was sent."""
        if ts := self._shown.pop(conversation, None):
            self._tasks.start(self._take_back(Place.of(conversation), ts))

    async def stop(self) -> None:
        await self._tasks.drain(2)

    async def _set_status(self, client: Client, place: Place) -> bool:
        assert place.thread is not None
        try:
            await client.assistant_threads_setStatus(channel_id=place.channel, thread_ts=place.thread, status=STATUS)
        except SlackApiError as error:
            if isinstance(delivery_error(error), DeliveryRejected):
                log.debug("Slack shows no status here", account=place.account, error=reason(error))
                self._without_status.add(place.account)
            return False
        return True

    async def _take_back(self, place: Place, ts: str) -> None:
        try:
            client = await self._workspaces.client(place.account)
            await client.reactions_remove(channel=place.channel, name=self._reaction, timestamp=ts)
        except Exception as error:
            log.debug("a reaction stays", account=place.account, error=type(error).__name__)
