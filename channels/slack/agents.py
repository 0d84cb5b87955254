"""Agents in Slack: each escalation opens a thread in the agents' channel, from which the customer is answered.

Conversations of all channels are served. What Slack sends about the agents' channel is kept before it is acknowledged, and
carried out afterwards (`agents_acts`); what happens to conversations is shown in their threads (`agents_follow`). What of an
agent's words goes to the customer is decided in `agents_rules`.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from frontdesk.channels.slack import agents_render as show
from frontdesk.channels.slack import agents_rules as rules
from frontdesk.channels.slack.agents_acts import Acts
from frontdesk.channels.slack.agents_channel import AgentsChannel
from frontdesk.channels.slack.agents_database import AgentsDatabase
from frontdesk.channels.slack.agents_follow import Follower
from frontdesk.channels.slack.agents_settings import AgentsSettings
from frontdesk.channels.slack.agents_work import Work
from frontdesk.channels.slack.downloads import Downloads
from frontdesk.channels.slack.incoming import Incoming, find, text
from frontdesk.channels.slack.people import People
from frontdesk.channels.slack.settings import SlackSettings
from frontdesk.channels.slack.uploads import Uploads
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.channel import Services
from frontdesk.core.errors import TransientError, Unavailable
from frontdesk.core.events import Changed, Delivered, Event, Missed

log = structlog.get_logger(__name__)

PAGE = 100
BUTTONS = frozenset({show.TAKE, show.RESOLVE, show.BACK})
MAX_FILE = 20 * 1024 * 1024


class AgentsInSlack:
    """A `Listener`. In the agents' channel the bot is no customer's: nothing that is written there is taken for a question."""

    def __init__(
        self,
        settings: AgentsSettings,
        slack: SlackSettings,
        services: Services,
        *,
        workspaces: Workspaces,
        people: People,
        downloads: Downloads,
    ) -> None:
        self._people = people
        self._settings = settings
        self._services = services
        self._downloads = downloads
        self._channel = AgentsChannel(settings, slack, workspaces, Uploads(services.attachments))
        self._db: AgentsDatabase

    async def start(self) -> None:
        """Raises `ConfigurationError`."""
        self._db = await AgentsDatabase.open(self._services.folder, self._settings.channel)
        self._follower = Follower(self._services, self._db, self._channel, self._people)
        self._following = Work("follow", self._follower.follow)
        acts = Acts(self._services, self._db, self._channel, self._downloads, self._following.wake, max_file=MAX_FILE)
        self._acting = Work("act", acts.carry_out)

    async def stop(self) -> None:
        await self._acting.stop()
        await self._following.stop()
        await self._db.close()

    async def handle(self, incoming: Incoming) -> bool:
        """Keeps what is about the agents' channel. Raises `Unavailable`."""
        if incoming.channel != self._settings.channel or self._settings.account not in (None, incoming.account):
            return False
        if incoming.kind == "command":
            return False  # which is answered in the writer's own direct message, wherever it was typed
        found = kept(incoming)
        if found is not None and found[3].get("user") != incoming.bot:
            try:
                await self._db.keep(*found)
            except TransientError as error:
                raise Unavailable(str(error)) from error
            self._acting.wake(found[1])
        return True

    async def run(self) -> None:
        with self._services.events.subscribe(wants=self._concerns_us, size=4096) as events:
            await self._take_up()
            async for event in events:
                if isinstance(event, Missed):
                    await self._take_up()
                else:
                    self._following.wake(event.conversation)

    def _concerns_us(self, event: Event) -> bool:
        match event:
            case Changed(state=state):
                return state.owner == "queue" or state.id in self._follower.watched
            case Delivered(conversation=conversation):
                return conversation in self._follower.watched
            case _:
                return False

    async def _take_up(self) -> None:
        """What may have been left: acts not carried out, threads not up to date, escalations without a thread."""
        for lane in await self._db.undone_lanes():
            self._acting.wake(lane)
        for conversation in await self._db.watched():
            self._follower.watched.add(conversation)
            self._following.wake(conversation)
        before = None
        while True:
            waiting = await self._services.store.conversations(owner="queue", before=before, limit=PAGE)
            for state in waiting:
                self._following.wake(state.id)
            if len(waiting) < PAGE:
                return
            before = waiting[-1].updated


def kept(incoming: Incoming) -> tuple[str, str, str, Mapping[str, Any]] | None:
    """The key, the lane, the kind and the payload of something that agents did. None for what need not be kept. Pure."""
    event = incoming.event
    if incoming.kind == "interaction" and incoming.type == "block_actions":
        return _pressed(incoming)
    if incoming.kind != "event" or incoming.type != "message":
        return None  # a mention comes as a message too
    match text(event, "subtype"):
        case "message_changed":
            message = find(event, "message")
            edited, before = text(message, "edited", "ts"), text(event, "previous_message", "edited", "ts")
            if not edited or edited == before or not _by_a_person(message):
                return None  # a preview of a link, or the number of replies
            root = text(message, "thread_ts")
            return f"{text(message, 'ts')}:{edited}", root, "edit", {"message": message}
        case "message_deleted":
            old = find(event, "previous_message")
            ts = text(event, "deleted_ts") or text(old, "ts")
            if not ts or not _by_a_person(old):
                return None
            return f"{ts}:deleted", text(old, "thread_ts"), "delete", {"ts": ts, "user": text(old, "user")}
        case subtype if subtype in rules.TAKEN_SUBTYPES and _by_a_person(event):
            root, ts = text(event, "thread_ts"), text(event, "ts")
            return (ts, root, "line", event) if root and ts and root != ts else None
        case _:
            return None


def _pressed(incoming: Incoming) -> tuple[str, str, str, Mapping[str, Any]] | None:
    actions = incoming.payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    id, thread = text(action, "action_id"), text(action, "value")
    if id not in BUTTONS or not thread or not incoming.user:
        return None
    root = text(incoming.payload, "message", "thread_ts") or text(incoming.payload, "container", "thread_ts")
    root = root or text(incoming.payload, "container", "message_ts")
    key = f"{incoming.user}:{id}:{thread}:{text(action, 'action_ts')}"
    return key, root, "press", {"user": incoming.user, "action": id, "thread": thread, "at": text(action, "action_ts")}


def _by_a_person(message: object) -> bool:
    return bool(text(message, "user")) and not any(find(message, mark) for mark in ("bot_id", "app_id", "bot_profile"))
