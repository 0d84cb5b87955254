"""Carries out what agents do in Slack: buttons, lines of a thread, edits and deletions of them. Each can be carried out again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from frontdesk.channels.slack import agents_render as show
from frontdesk.channels.slack import agents_rules as rules
from frontdesk.channels.slack import parse, shared_files
from frontdesk.channels.slack.agents_channel import INTERNAL, AgentsChannel
from frontdesk.channels.slack.agents_database import Act, AgentsDatabase, Line, Thread
from frontdesk.channels.slack.agents_members import Agent, Agents
from frontdesk.channels.slack.agents_rules import Doubt, Split
from frontdesk.channels.slack.downloads import Downloads
from frontdesk.channels.slack.incoming import find, text
from frontdesk.core.channel import Services
from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import DeliveryError, DeliveryRejected, InvalidInput, TransientError, Unavailable
from frontdesk.core.messages import Attachment, AudioPart, FilePart, ImagePart, Note, Outgoing

log = structlog.get_logger(__name__)

MOST_TRIES = 6
"""So often a file is asked for, over half a minute; what was written behind it waits."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Who acts, in which thread, on which conversation."""

    agent: Agent
    thread: Thread
    state: Conversation

    @property
    def is_theirs(self) -> bool:
        """Whether this agent has taken the conversation, here, and nobody since."""
        thread, state = self.thread, self.state
        return (thread.taker, thread.taker_name, "agent") == (self.agent.user, state.agent, state.owner)

    def doubt(self, at: str) -> Doubt | None:
        """What speaks against sending what this agent wrote then, before what it is."""
        if not self.agent.full:
            return "guest"
        if not self.thread.open:
            return "closed"
        if self.state.owner != "agent":
            return "not_taken"
        if not self.is_theirs:
            return "taken_by_another"
        return "not_taken" if at < self.thread.taken else None  # it may be told long after it was written


class Acts:
    """`changed` is told the conversation after each act."""

    def __init__(
        self,
        services: Services,
        database: AgentsDatabase,
        channel: AgentsChannel,
        downloads: Downloads,
        changed: Callable[[str], None],
        *,
        max_file: int,
    ) -> None:
        self._services = services
        self._db = database
        self._channel = channel
        self._downloads = downloads
        self._changed = changed
        self._max_file = max_file
        self._agents = Agents(channel.id)
        self._tries: dict[str | None, int] = {}

    async def carry_out(self, lane: str) -> None:
        """All that waits in the lane. Raises what the store and Slack raise: then it is to be called again."""
        while (act := await self._db.next_act(lane)) is not None:
            try:
                await self._carry_out(act)
            except (Unavailable, DeliveryError, TransientError):
                raise
            except Exception as error:
                # What is wrong with it stays wrong; the agent sees no mark on it, and those behind it must not wait for ever.
                log.exception("what an agent did in Slack is given up", kind=act.kind, error=type(error).__name__)
            await self._db.done(act)

    async def _carry_out(self, act: Act) -> None:
        payload = act.payload
        match act.kind:
            case "press":
                await self._press(payload)
            case "line":
                await self._line(payload)
            case "edit":
                await self._edit(payload)
            case "delete":
                await self._delete(payload)

    async def _scene(self, thread: Thread | None, user: str) -> Scene | None:
        if thread is None:
            return None
        agent = await self._agents.get(await self._channel.client(), user)
        state = await self._services.store.conversation(thread.conversation)
        if state is None:
            await self._channel.whisper(user, thread.root, show.GONE)
            return None
        return Scene(agent=agent, thread=thread, state=state)

    # Buttons

    async def _press(self, payload: Mapping[str, Any]) -> None:
        user, action = text(payload, "user"), text(payload, "action")
        scene = await self._scene(await self._db.thread(text(payload, "thread")), user)
        if scene is None:
            return
        thread, agent = scene.thread, scene.agent
        if not agent.full or not await self._is_member(user):
            await self._channel.whisper(user, thread.root, show.NO_MEMBER)
            return
        try:
            match action:
                case show.TAKE:
                    await self._take(scene, text(payload, "at"))
                case show.RESOLVE if thread.open and scene.state.resolved is None:
                    await self._services.handoff.resolve(thread.conversation, agent.name)
                case show.BACK if thread.open:
                    await self._services.handoff.give_back(thread.conversation, agent.name)
                case _:
                    pass
        except KeyError:
            await self._channel.whisper(user, thread.root, show.GONE)
        self._changed(thread.conversation)

    async def _is_member(self, user: str) -> bool:
        client = await self._channel.client()
        try:
            return await self._agents.is_member(client, user)
        except DeliveryRejected as error:
            log.error("nobody can press buttons: it is not to be seen who is in the agents' channel", reason=str(error))
            return False

    async def _take(self, scene: Scene, at: str) -> None:
        thread, agent = scene.thread, scene.agent
        taken = thread.taken if thread.open and scene.is_theirs else at
        if not thread.open:
            # What was said since it was closed is shown, the last of it.
            between = await self._services.store.transcript(thread.conversation, after=thread.seen, limit=show.BETWEEN)
            seen = between[0].seq - 1 if between else thread.seen
            if await self._db.change(thread, open=1, seen=seen) is None:
                await self._channel.whisper(agent.user, thread.root, show.OTHER_THREAD)
                return
        await self._services.handoff.take(thread.conversation, agent.name)
        await self._db.change(thread, taker=agent.user, taker_name=agent.name, taken=taken)

    # Lines

    async def _line(self, message: Mapping[str, Any]) -> None:
        ts, user = text(message, "ts"), text(message, "user")
        scene = await self._scene(await self._db.thread_at(text(message, "thread_ts")), user)
        if scene is None or scene.agent.bot:
            return
        doubt = None if await self._was_sent(ts) else scene.doubt(ts)
        if doubt == "guest":
            await self._whisper(scene, doubt)
            return
        split = rules.split(parse.words(message, {}), message, doubt)
        files: list[Attachment] = []
        if split.may_be_sent:
            try:
                files = await self._files(message)
            except InvalidInput as error:
                await self._channel.whisper(user, scene.thread.root, f"Not sent: {error}.")
                return
        line = Line(thread=scene.thread.key, ts=ts, user=user, reply=None, settled="internal")
        if split.said or files:
            line = replace(line, reply=f"{scene.state.id}/agent/{self._id(ts)}", settled="pending", mixed=bool(split.internal))
        await self._db.write(line)
        if line.reply is not None:
            await self._services.handoff.reply(scene.state.id, scene.agent.name, split.said, id=self._id(ts), attachments=files)
        await self._keep_internal(scene, split, ts, self._id(ts), names=_file_names(message))
        self._changed(scene.state.id)

    async def _was_sent(self, ts: str) -> bool:
        """Whether a line has become a reply before the process ended."""
        line = await self._db.line(ts)
        return line is not None and line.reply is not None and await self._services.store.entry(line.reply) is not None

    async def _keep_internal(self, scene: Scene, split: Split, ts: str, id: str, *, names: str = "") -> None:
        """What stays with the team becomes a note, and is marked. Whoever may have meant it for the customer is told."""
        words = "\n".join(filter(None, (split.internal, "" if split.may_be_sent else names)))
        if words:
            await self._services.handoff.note(scene.state.id, scene.agent.name, words, id=id)
            await self._channel.mark(ts, INTERNAL)
        if split.doubt is not None:
            await self._whisper(scene, split.doubt)

    async def _files(self, message: Mapping[str, Any]) -> list[Attachment]:
        """The files of a message in the attachment store. Raises `InvalidInput` if one of them cannot be had."""
        saved: list[Attachment] = []
        for part in shared_files.parts(message.get("files")):
            if not isinstance(part, FilePart | ImagePart | AudioPart):
                continue
            wanted = part.attachment
            if wanted.problem or wanted.size > self._max_file:
                raise InvalidInput(wanted.problem or f"the file is larger than {self._max_file // 1024} kB")
            saved.append(await self._saved(wanted))
        return saved

    async def _saved(self, wanted: Attachment) -> Attachment:
        tries = self._tries.pop(wanted.remote, 0) + 1
        try:
            return await self._services.attachments.save(
                self._downloads.chunks(self._channel.account, wanted),
                name=wanted.name,
                media_type=wanted.media_type,
                max_size=self._max_file,
            )
        except TransientError as error:
            if tries >= MOST_TRIES:
                raise InvalidInput("Slack does not give the file") from error
            self._tries[wanted.remote] = tries
            raise

    async def _edit(self, payload: Mapping[str, Any]) -> None:
        message = payload.get("message") or {}
        ts, user, edited = text(message, "ts"), text(message, "user"), text(message, "edited", "ts")
        line = await self._db.line(ts)
        scene = await self._scene(await self._db.thread(line.thread), user) if line and line.user == user else None
        if line is None or scene is None:
            return
        split = rules.split(parse.words(message, {}), message, scene.doubt(edited))
        id = self._id(f"{ts}:{edited}")
        if line.reply is None:
            if await self._change_note(scene, line, message, id) and (split.said or split.doubt):
                await self._channel.whisper(user, scene.thread.root, show.STAYS_INTERNAL)
            return
        correction = f"{scene.state.id}/agent/{id}"
        if not split.said:
            await self._channel.whisper(user, scene.thread.root, show.CHANGED_TOO_LATE)
            return
        if line.mixed and line.reply != correction:
            await self._channel.whisper(user, scene.thread.root, show.PARTLY_INTERNAL)
            return
        earlier = await self._services.store.entry(line.reply)
        if earlier is not None and isinstance(earlier.body, Outgoing) and earlier.body.text == split.said:
            return
        if line.reply != correction:
            await self._services.handoff.correct(scene.state.id, scene.agent.name, split.said, of=line.reply, id=id)
            await self._db.write(replace(line, reply=correction, settled="pending", mixed=bool(split.internal)))
        await self._keep_internal(scene, split, ts, id)
        self._changed(scene.state.id)

    async def _change_note(self, scene: Scene, line: Line, message: Mapping[str, Any], id: str) -> bool:
        """Puts a new version in the place of what stayed with the team. False if it says the same."""
        words = "\n".join(filter(None, (parse.words(message, {}).strip(), _file_names(message))))
        earlier = await self._services.store.entry(line.note or _note(scene, self._id(line.ts)))
        known = earlier.body if earlier is not None and isinstance(earlier.body, Note) else None
        if not words or (known is not None and known.text == words):
            return False
        replaces = known.id if known is not None else None
        await self._services.handoff.note(scene.state.id, scene.agent.name, words, id=id, replaces=replaces)
        await self._db.write(replace(line, note=_note(scene, id)))
        return True

    async def _delete(self, payload: Mapping[str, Any]) -> None:
        ts, user = text(payload, "ts"), text(payload, "user")
        line = await self._db.line(ts)
        if line is not None and line.reply is not None and line.user:
            thread = await self._db.thread(line.thread)
            await self._channel.whisper(user or line.user, thread.root if thread else None, show.DELETED_TOO_LATE)

    async def _whisper(self, scene: Scene, doubt: Doubt) -> None:
        await self._channel.whisper(scene.agent.user, scene.thread.root, *show.told(doubt, scene.thread, scene.state))

    def _id(self, ts: str) -> str:
        return f"slack:{self._channel.id}:{ts}"


def _note(scene: Scene, id: str) -> str:
    return f"{scene.state.id}/note/{id}"


def _file_names(message: Mapping[str, Any]) -> str:
    files = message.get("files")
    return ", ".join(f"📎 {text(file, 'name')}" for file in files if find(file, "name")) if isinstance(files, list) else ""
