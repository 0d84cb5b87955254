"""The inbox and the conversations: what agents see and do."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from aiohttp import web
from yarl import URL

from frontdesk.channels.desk.accounts import Account
from frontdesk.channels.desk.inbox import TABS, Inbox, Tab
from frontdesk.channels.desk.live import ENDED, Live
from frontdesk.channels.desk.pages import Pages, is_part
from frontdesk.channels.desk.parse import MAX_TEXT, Draft, current_path, draft, form
from frontdesk.channels.desk.people import People, Person
from frontdesk.channels.desk.render import IMAGES, SOUNDS, VIDEOS, Line, attachments_of, retrieved
from frontdesk.channels.desk.security import ACCOUNT, SESSION
from frontdesk.channels.desk.sessions import Sessions
from frontdesk.channels.desk.strings import Refusal
from frontdesk.channels.desk.transcript import last_own, lines, targets
from frontdesk.core.channel import Services
from frontdesk.core.conversations import Conversation
from frontdesk.core.events import Typing
from frontdesk.core.messages import Entry, Message, Outgoing, Source

PAGE = 60
"""Entries of a transcript that are shown at first, and at each step back."""
RECENT = 500
"""A page that has seen more new entries than this loads itself again."""
HEARTBEAT = 15.0


@dataclass(frozen=True, kw_only=True)
class Thread:
    """A conversation as it is shown: entries with `first` <= seq, and whether there are older ones.

    `public`: others than the contact read it too.
    """

    conversation: Conversation
    lines: Sequence[Line]
    sources: Sequence[Source]
    first: int
    older: bool
    public: bool
    person: Person | None


class Taken(Exception):
    """Another agent has the conversation, and the request does not say that it may be taken from them."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class ConversationPages:
    def __init__(
        self,
        pages: Pages,
        services: Services,
        *,
        inbox: Inbox,
        people: People,
        live: Live,
        sessions: Sessions,
        max_upload: int,
    ) -> None:
        self._pages = pages
        self._services = services
        self._inbox = inbox
        self._people = people
        self._live = live
        self._sessions = sessions
        self._max_upload = max_upload

    def mount(self, app: web.Application) -> None:
        router = app.router
        router.add_get("", self.desk)
        router.add_get("/", self.desk)
        router.add_get("/inbox", self.inbox, name="inbox")
        router.add_get("/events", self.events, name="events")
        router.add_get("/c/{id}", self.conversation)
        router.add_get("/c/{id}/live", self.live, name="live")
        router.add_get("/c/{id}/older", self.older)
        router.add_get("/c/{id}/files/{seq}/{file}", self.file)
        router.add_post("/c/{id}/send", self.send)
        router.add_post("/c/{id}/again", self.again)
        router.add_post("/c/{id}/typing", self.typing)
        for act in ("take", "give_back", "resolve"):
            router.add_post(f"/c/{{id}}/{act}", self._act(act))

    # Pages and parts of them

    async def desk(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, None)

    async def inbox(self, request: web.Request) -> web.StreamResponse:
        # The page's address says which tab and which conversation are open.
        page = URL(current_path(request))
        limit = _number(request.query.get("limit")) or 0
        listing = await self._inbox.listing(_tab(page), request[ACCOUNT].display, limit=limit)
        open = page.path.removeprefix("/desk/c/") if page.path.startswith("/desk/c/") else ""
        return self._pages.show(request, "_inbox.html", listing=listing, open=open)

    async def conversation(self, request: web.Request) -> web.StreamResponse:
        thread = await self._thread(request)
        if is_part(request) and request.headers.get("HX-Target") == "section#thread":
            return self._pages.show(request, "_thread.html", **self._shown(thread, request))
        return await self._page(request, thread)

    async def live(self, request: web.Request) -> web.StreamResponse:
        thread = await self._thread(request, first=_number(request.query.get("first")))
        if len(thread.lines) >= RECENT:
            return web.Response(headers={"HX-Refresh": "true"})
        return self._pages.show(request, "_live.html", **self._shown(thread, request))

    async def older(self, request: web.Request) -> web.StreamResponse:
        thread = await self._thread(request, before=_number(request.query.get("before")))
        return self._pages.show(request, "_older.html", thread=thread)

    async def _page(self, request: web.Request, thread: Thread | None) -> web.Response:
        listing = await self._inbox.listing(_tab(request.rel_url), request[ACCOUNT].display)
        shown = self._shown(thread, request) if thread else {"thread": None}
        return self._pages.show(request, "desk.html", listing=listing, open=thread.conversation.id if thread else "", **shown)

    def _shown(self, thread: Thread, request: web.Request) -> dict[str, Any]:
        shown = {"thread": thread, "person": thread.person, "tab": _tab(request.rel_url)}
        return {**shown, "nonce": uuid4().hex, "max_text": MAX_TEXT}

    async def _thread(self, request: web.Request, *, first: int | None = None, before: int | None = None) -> Thread:
        """The latest page, the one before `before`, or all since `first`."""
        conversation = await self._conversation(request)
        if first is not None:
            entries = await self._transcript(conversation.id, after=first - 1, limit=RECENT)
            older = True
        else:
            entries = await self._transcript(conversation.id, before=before, limit=PAGE + 1)
            older = len(entries) > PAGE
            entries = entries[-PAGE:]
        if entries and before is None:
            await self._inbox.read_up_to(request[ACCOUNT].display, conversation.id, entries[-1].seq)
        return Thread(
            conversation=conversation,
            lines=lines(
                entries,
                await self._earlier(entries),
                agent=request[ACCOUNT].display if before is None else None,
                contact=conversation.contact,
                whole=self._services.whole,
            ),
            sources=retrieved(entries),
            first=entries[0].seq if entries else 0,
            older=older,
            public=any(isinstance(entry.body, Message) and entry.body.public for entry in entries),
            person=await self._people.of(conversation) if before is None else None,
        )

    async def _earlier(self, entries: Sequence[Entry]) -> dict[str, Entry]:
        """What was edited, deleted or reacted to, of what is further back than these entries."""
        found = [(target, await self._services.store.entry(target)) for target in targets(entries)]
        return {
            target: entry
            for target, entry in found
            if entry is not None and entry.body.conversation == entries[0].body.conversation
        }

    async def _transcript(self, id: str, *, before: int | None = None, after: int | None = None, limit: int) -> list[Entry]:
        return await self._services.store.transcript(id, before=before, after=after, limit=limit)

    # What happens

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events (HTML standard, section 9.2) as long as the session goes on."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        with self._live.page() as queue:
            await response.prepare(request)
            checked = -math.inf
            while True:
                # On a busy desk there is no pause, so the clock decides when to look at the session again.
                if time.monotonic() - checked >= HEARTBEAT:
                    if not await self._sessions.valid(request[SESSION]):
                        break
                    checked = time.monotonic()
                try:
                    data = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    data = b": still here\n\n"
                if data == ENDED:
                    break
                try:
                    await response.write(data)
                except ConnectionResetError:
                    break  # the page was closed
        return response

    async def typing(self, request: web.Request) -> web.StreamResponse:
        conversation = await self._conversation(request)
        self._services.events.publish(Typing(conversation.id, f"agent:{request[ACCOUNT].display}"))
        return web.Response(status=204)

    # What agents do

    async def send(self, request: web.Request) -> web.StreamResponse:
        conversation = await self._conversation(request)
        me = request[ACCOUNT]
        handoff = self._services.handoff

        async def permit(draft: Draft) -> None:
            if draft.of:
                await self._check_correctable(conversation, me, draft.of)
            elif draft.mode == "reply":
                self._check_holder(conversation, me, draft.over)

        try:
            sent = await draft(request, self._services.attachments, permit, max_upload=self._max_upload)
        except Taken as taken:
            return self._conflict(request, taken, act="send")
        if not sent.text.strip() and not sent.files:
            raise Refusal("empty_reply")
        if sent.of:
            await handoff.correct(conversation.id, me.display, sent.text, of=sent.of, id=sent.nonce)
        elif sent.mode == "note":
            await handoff.note(conversation.id, me.display, sent.text)
        else:
            await handoff.reply(conversation.id, me.display, sent.text, id=sent.nonce, attachments=sent.files)
        return self._pages.show(request, "_nonce.html", nonce=uuid4().hex)

    async def again(self, request: web.Request) -> web.StreamResponse:
        """Sends a reply again that the platform has refused, or that has bounced."""
        conversation = await self._conversation(request)
        seq = _number((await form(request)).get("seq")) or 0
        entries = await self._transcript(conversation.id, after=seq - 1, before=seq + 1, limit=1)
        if not any(isinstance(entry.body, Outgoing) and entry.status == "dead" for entry in entries):
            raise web.HTTPNotFound
        with suppress(KeyError):  # somebody else was faster
            await self._services.store.replay(seq)
        return web.Response(status=204)

    def _act(self, act: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            conversation = await self._conversation(request)
            me = request[ACCOUNT]
            try:
                self._check_holder(conversation, me, (await form(request)).get("over", ""))
            except Taken as taken:
                return self._conflict(request, taken, act=act)
            await getattr(self._services.handoff, act)(conversation.id, me.display)
            return web.Response(status=204)

        return handler

    async def _check_correctable(self, conversation: Conversation, me: Account, of: str) -> None:
        """Raises `Refusal` for anything but the agent's own last reply; a repeated correction is let through."""
        entries = await self._transcript(conversation.id, limit=RECENT)
        last = last_own(entries, me.display)
        if last is None or of not in (last.id, last.replaces):
            raise Refusal("not_correctable")

    @staticmethod
    def _check_holder(conversation: Conversation, me: Account, over: str) -> None:
        """Raises `Taken`. Another agent may still be faster before the act: then the later one has it, and both see it."""
        if conversation.owner == "agent" and conversation.agent not in (None, me.display, over):
            raise Taken(conversation.agent or "")

    def _conflict(self, request: web.Request, taken: Taken, *, act: str) -> web.Response:
        return self._pages.show(request, "_conflict.html", status=409, holder=taken.holder, act=act, id=request.match_info["id"])

    # Files

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of this conversation. Only harmless kinds are shown in the page; all others are downloads without a type."""
        seq = _number(request.match_info["seq"]) or 0
        entries = await self._transcript(request.match_info["id"], after=seq - 1, before=seq + 1, limit=1)
        wanted = request.match_info["file"]
        attachment = next((one for entry in entries for one in attachments_of(entry) if one.id == wanted), None)
        if attachment is None:
            raise web.HTTPNotFound
        try:
            path = self._services.attachments.path(attachment.id)
        except KeyError:
            raise web.HTTPNotFound from None
        inline = attachment.media_type in IMAGES | SOUNDS | VIDEOS
        disposition = "inline" if inline and "download" not in request.query else "attachment"
        return web.FileResponse(
            path,
            headers={
                # RFC 6266: any name, as UTF-8 in percent escapes.
                "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(attachment.name, safe='')}",
                "Content-Type": attachment.media_type if inline else "application/octet-stream",
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
                "Cache-Control": "private, no-store",
            },
        )

    async def _conversation(self, request: web.Request) -> Conversation:
        conversation = await self._services.store.conversation(request.match_info["id"])
        if conversation is None:
            raise web.HTTPNotFound
        return conversation


def _tab(page: URL) -> Tab:
    tab = page.query.get("tab", "")
    return tab if tab in TABS else "waiting"


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None
