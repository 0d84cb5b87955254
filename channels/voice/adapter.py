"""The end point `/voice`: takes a recording, waits for the turn, and answers with what was heard and said.

It is meant for programs: a telephone system, an app, a kiosk. They identify themselves by a key and vouch for their customers.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

import structlog
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from frontdesk.channels.voice import parse, render
from frontdesk.channels.voice.settings import VoiceChannelSettings
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import FrontdeskError, InvalidInput
from frontdesk.core.events import Changed, Event, Subscription
from frontdesk.core.messages import Attachment, Entry, Outgoing

PATH = "/voice"
CHUNK = 64 * 1024
STALLED = 30.0
"""Seconds after which an upload that sends nothing is given up."""
WITHIN = 600.0
"""Seconds in which an upload must be complete, however slowly it goes."""
MAX_WAITING = 1000
"""So many requests wait for their replies at most: further ones are told at once that theirs is pending."""
MAX_FIELD = 400_000
"""Bytes of everything but the recording: a text of the greatest length in four-byte characters."""
MAX_FIELDS = 20
RECENT = 200
"""Entries that are looked at: replies of longer ago are the caller's to keep."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)


class VoiceChannel(Channel):
    name: ClassVar[str] = "voice"
    Settings: ClassVar[type[VoiceChannelSettings]] = VoiceChannelSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialect="markdown",
        buttons=True,
        attachments=True,
        history=True,
        max_text=20_000,
        max_attachment=VoiceChannelSettings.model_fields["max_upload"].default,
    )

    def __init__(self, settings: VoiceChannelSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.settings = settings
        self._waiting: set[asyncio.Timeout] = set()
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many requests wait for the end of a turn."""
        return len(self._waiting)

    def mount(self, http: web.Application) -> None:
        http.router.add_post(PATH, self._guarded(self._post))
        http.router.add_get(f"{PATH}/{{conversation}}", self._guarded(self._get))
        http.router.add_get(f"{PATH}/{{conversation}}/files/{{id}}", self._guarded(self._file))
        http.on_shutdown.append(self._close)

    async def check(self) -> str:
        return f"{self.services.base_url.rstrip('/')}{PATH}, for {len(self.settings.keys)} key(s)"

    async def send(self, outgoing: Outgoing) -> str | None:
        """Never fails: the reply is in the transcript, where the caller reads it."""
        return outgoing.id

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            given = key.strip().encode()
            known = [hmac.compare_digest(given, each.get_secret_value().encode()) for each in self.settings.keys]
            if scheme.lower() != "bearer" or not any(known):
                answer = render.problem("send a key of `channels.voice.keys` as Authorization: Bearer ...")
                return web.json_response(answer, status=401, headers={"WWW-Authenticate": "Bearer"})
            if request.headers.get("Content-Encoding", "identity") != "identity":
                raise InvalidInput("compressed requests are not taken", status=415)
            return await handler(request)

        return guarded

    async def _close(self, _: web.Application) -> None:
        """Whoever waits is told that the reply is pending: a stop need not wait for them, and their message is kept."""
        self._closed = True
        for limit in self._waiting:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    async def _post(self, request: web.Request) -> web.StreamResponse:
        fields, recording = await self._received(request)
        async with self._kept_if_taken(recording):
            message = parse.message(fields, recording, datetime.now(UTC), max_text=self.capabilities.max_text)
        with self.services.events.subscribe(message.conversation, wants=_may_end_a_turn) as events:
            async with self._kept_if_taken(recording):
                receipt = await self.services.accept(message)
            if recording is not None and receipt.duplicate:
                await self.services.attachments.remove(recording.id)
            entry = await self._ended(message.id, events)
        following = await self._following(message.conversation, entry.seq) if entry else []
        answer = render.answer(message, entry, following, duplicate=receipt.duplicate, base=self._base)
        return web.Response(body=render.encode(answer), status=202 if answer.pending else 200, content_type="application/json")

    @asynccontextmanager
    async def _kept_if_taken(self, recording: Attachment | None) -> AsyncIterator[None]:
        try:
            yield
        except FrontdeskError:
            if recording is not None:
                await self.services.attachments.remove(recording.id)
            raise

    async def _ended(self, id: str, events: Subscription) -> Entry | None:
        """The entry of a message at the end of its turn, or as it is when the caller has waited for long enough."""
        entry = await self.services.store.entry(id)
        if self._closed or len(self._waiting) >= MAX_WAITING:
            return entry
        try:
            async with asyncio.timeout(self.settings.wait_seconds) as limit:
                self._waiting.add(limit)
                try:
                    while entry is None or entry.status == "pending":
                        await events.get()
                        entry = await self.services.store.entry(id)
                finally:
                    self._waiting.discard(limit)
        except TimeoutError:
            log.info("the turn takes longer than the caller is made to wait", message=id)
        return entry

    async def _following(self, conversation: str, seq: int) -> list[Entry]:
        """The first entries after one. Mostly they are the last of the conversation, too."""
        found = earlier = await self.services.store.transcript(conversation, after=seq, limit=RECENT)
        while len(earlier) == RECENT:
            earlier = await self.services.store.transcript(conversation, after=seq, before=earlier[0].seq, limit=RECENT)
            found = [*earlier, *found][:RECENT]
        return found

    async def _get(self, request: web.Request) -> web.StreamResponse:
        """The replies after `after`, at most those among the last `RECENT` entries."""
        conversation = parse.conversation(request.match_info["conversation"])
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 16):
            raise InvalidInput("`after`: the number of the last reply that you have")
        entries = await self.services.store.transcript(conversation, after=int(after), limit=RECENT)
        return web.Response(body=render.encode({"replies": render.replies(entries, self._base)}), content_type="application/json")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        conversation = parse.conversation(request.match_info["conversation"])
        attachment = _attachment(await self.services.store.transcript(conversation, limit=RECENT), request.match_info["id"])
        try:
            path = self.services.attachments.path(attachment.id if attachment else "")
        except KeyError:
            raise InvalidInput("there is no such file", status=404) from None
        assert attachment is not None
        return web.FileResponse(
            path,
            headers={
                "Content-Type": attachment.media_type,
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
            },
        )

    @property
    def _base(self) -> str:
        return f"{self.services.base_url.rstrip('/')}{PATH}"

    async def _received(self, request: web.Request) -> tuple[parse.Fields, Attachment | None]:
        """Raises `InvalidInput`: 415 for a body of another type, 413 for one that is too large, 408 for one that stalls."""
        if (request.content_length or 0) > self.settings.max_upload + MAX_FIELD:
            raise InvalidInput(f"the recording is larger than {self.settings.max_upload // 1024} kB", status=413)
        try:
            async with asyncio.timeout(WITHIN):
                return await self._read(request)
        except TimeoutError:
            raise InvalidInput("the upload stalled", status=408) from None
        except (ValueError, HttpProcessingError, web.RequestPayloadError, ConnectionError):
            raise InvalidInput("the body is broken or ends too early") from None

    async def _read(self, request: web.Request) -> tuple[parse.Fields, Attachment | None]:
        if request.content_type == "multipart/form-data":
            return await self._form(request)
        if request.content_type == "application/json":
            return parse.fields_of_json(await _small(_body(request))), None
        if not parse.is_sound(request.content_type):
            raise InvalidInput("send audio, a form with a part `audio`, or JSON", status=415)
        fields = parse.fields(request.query)
        return fields, await self._saved(_body(request), "recording", request.content_type)

    async def _form(self, request: web.Request) -> tuple[parse.Fields, Attachment | None]:
        given: dict[str, str] = {}
        recording: Attachment | None = None
        reader = await request.multipart()
        try:
            while True:
                async with asyncio.timeout(STALLED):
                    part = await reader.next()
                if part is None:
                    return parse.fields(given), recording
                if not isinstance(part, BodyPartReader) or part.name is None or len(given) > MAX_FIELDS:
                    raise InvalidInput("the form has a part that is not understood")
                if part.name != "audio":
                    given[part.name] = (await _small(_part(part))).decode()
                elif recording is None:
                    kind = part.headers.get("Content-Type", parse.UNNAMED).partition(";")[0].strip().lower()
                    recording = await self._saved(_part(part), part.filename or "recording", kind)
                else:
                    raise InvalidInput("the form has more than one part `audio`")
        except BaseException:
            if recording is not None:
                await self.services.attachments.remove(recording.id)
            raise

    async def _saved(self, chunks: AsyncIterator[bytes], name: str, media_type: str) -> Attachment:
        saved = await self.services.attachments.save(chunks, name=name, media_type=media_type, max_size=self.settings.max_upload)
        if not saved.size:
            await self.services.attachments.remove(saved.id)
            raise InvalidInput("the recording is empty")
        return saved


def _attachment(entries: list[Entry], id: str) -> Attachment | None:
    """One of a reply in these entries: callers have what their customers sent."""
    files = (file for entry in entries if isinstance(entry.body, Outgoing) for file in entry.body.attachments)
    return next((file for file in files if file.id == id), None)


def _may_end_a_turn(event: Event) -> bool:
    return isinstance(event, Changed)


def _body(request: web.Request) -> AsyncIterator[bytes]:
    return _pieces(request.content.read)


def _part(part: BodyPartReader) -> AsyncIterator[bytes]:
    return _pieces(part.read_chunk)


async def _pieces(read: Callable[[int], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    """Raises `InvalidInput`, and never what the attachment store would take for an error of its disk."""
    while True:
        try:
            async with asyncio.timeout(STALLED):
                chunk = await read(CHUNK)
        except TimeoutError:
            raise InvalidInput("the upload stalled", status=408) from None
        except ConnectionError:
            raise InvalidInput("the body is broken or ends too early") from None
        if not chunk:
            return
        yield chunk


async def _small(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_FIELD:
            raise InvalidInput("the text is too long", status=413)
    return bytes(body)
