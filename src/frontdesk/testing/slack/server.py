"""A Slack on loopback: the Web API, events, interactions, Socket Mode, OAuth and files, with people who use it."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urljoin
from uuid import uuid4

import aiohttp
from aiohttp import web
from yarl import URL

from frontdesk.testing.slack.api import WebApi
from frontdesk.testing.slack.api_files import media_type_of
from frontdesk.testing.slack.blocks import SlackError, checked
from frontdesk.testing.slack.delivery import Courier, Delivery, Http, signed
from frontdesk.testing.slack.faults import Call, Fault, Faults
from frontdesk.testing.slack.payloads import event_callback, in_place, message_object
from frontdesk.testing.slack.people import Person, message_events
from frontdesk.testing.slack.routes import Routes
from frontdesk.testing.slack.sockets import Sockets
from frontdesk.testing.slack.workspace import Clock, Member, Place, Post, StoredFile, Workspace, new_id

RETRIES = (0.0, 60.0, 300.0)
"""Seconds before each repetition of an event that was not acknowledged."""
ACKNOWLEDGE_SECONDS = 3.0
_AUTHORIZE_LINK = re.compile(r'href="([^"]*/oauth/v2/authorize\?[^"]*)"')


class FakeSlack:
    """An app that is installed in one workspace, of which the bot `bot_name` is a member.

        async with FakeSlack() as slack:
            slack.serve("http://127.0.0.1:8080/slack/events", ...)
            ann = slack.user("Ann")
            dm = await ann.dm()
            await dm.write("hi")
            dm.replies[0].text

    The real SDKs talk to `api_url`. With `socket_mode` the app is told by WebSocket, else by requests signed with
    `signing_secret`. Whatever is not acknowledged within `seconds` is sent again after each of `retries`.
    """

    def __init__(
        self,
        *,
        bot_name: str = "Shop Bot",
        socket_mode: bool = False,
        retries: Sequence[float] = RETRIES,
        seconds: float = ACKNOWLEDGE_SECONDS,
        installed: bool = True,
        echo: bool = True,
    ) -> None:
        self.clock = Clock()
        self.app_id = new_id("A")
        self.bot_name = bot_name
        self.signing_secret = uuid4().hex
        self.app_token = f"xapp-1-{self.app_id}-{uuid4().hex}"
        self.client_id = "1234567890.1234567890"
        self.client_secret = uuid4().hex
        self.redirect_url: str | None = None
        self.codes: dict[str, Member] = {}
        self.calls: list[Call] = []
        self.downloads: list[tuple[str, str | None]] = []
        """The files that were asked for, each with the token that came along."""
        self.on_reply: Callable[[Place, Post], None] | None = None
        """Called with each message that the bot posts for all to see."""
        self._echo = echo
        self.faults = Faults()
        self.sockets = Sockets(self.app_id, seconds)
        self._http = Http(self.signing_secret, seconds)
        self.courier = Courier(self.sockets if socket_mode else self._http, retries)
        self.api = WebApi(self)
        self.workspace = Workspace("Acme", self.app_id, bot_name, installed=installed)
        self.workspaces = {self.workspace.id: self.workspace}
        self.responses: dict[str, tuple[Place, str, Post | None]] = {}
        self._runner: web.AppRunner
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1024**3)
        app.router.add_get("/link", self.sockets.serve)
        Routes(self).mount(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._http.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.courier.close()
        await self._http.session.close()
        self.sockets.drop()
        await self._runner.cleanup()

    # What the app is told about us

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        """Of the first workspace."""
        assert self.workspace.token is not None
        return self.workspace.token

    def serve(self, events: str | None = None, *, interactions: str | None = None, commands: str | None = None) -> None:
        """The app's addresses, as they would be set in the app's configuration."""
        for kind, address in (("events_api", events), ("interactive", interactions), ("slash_commands", commands)):
            if address is not None:
                self._http.addresses[kind] = address  # type: ignore[index]

    # People and places

    def user(self, name: str, *, workspace: Workspace | None = None, **fields: Any) -> Person:
        """A new person. `guest`, `external`, `email` and `locale` are as in `Member`."""
        member = (workspace or self.workspace).add_member(name, **fields)
        return Person(self, member)

    def channel(self, name: str, *people: Person, private: bool = False, bot: bool = True) -> Place:
        workspace = people[0].workspace if people else self.workspace
        members = [person.id for person in people] + ([workspace.bot.id] if bot else [])
        return workspace.add_place("group" if private else "channel", name, members)

    def group(self, *people: Person) -> Place:
        """A direct message among several people and the bot."""
        workspace = people[0].workspace
        return workspace.add_place("mpim", "", [*(person.id for person in people), workspace.bot.id])

    def add_workspace(self, name: str, *, installed: bool = False) -> Workspace:
        workspace = Workspace(name, self.app_id, self.bot_name, installed=installed)
        self.workspaces[workspace.id] = workspace
        return workspace

    def add_file(self, workspace: Workspace, name: str, data: bytes, user: str, **fields: Any) -> StoredFile:
        fields.setdefault("id", new_id("F"))
        audio = {"webm": "audio/webm", "m4a": "audio/mp4", "mp4": "audio/mp4"}
        kind = audio.get(name.rpartition(".")[2], "audio/mp4") if fields.get("clip") else media_type_of(name)
        file = StoredFile(name=name, data=data, media_type=kind, user=user, team=workspace.id, at=int(time.time()), **fields)
        workspace.files[file.id] = file
        return file

    # What happens

    def post(self, place: Place, post: Post) -> list[Delivery]:
        """Keeps a message and tells the app of it, of its own messages too."""
        place.posts.append(post)
        if post.user == place.workspace.bot.id:
            place.status.pop(post.thread_ts or "", None)
            if self.on_reply is not None:
                self.on_reply(place, post)
            if not self._echo:
                return []
        return self._tell_members(place, message_events(self, place, post))

    def changed(self, place: Place, post: Post, before: dict[str, Any]) -> list[Delivery]:
        """Tells the app that a message is not what it was."""
        ts = self.clock.ts()
        message = message_object(post, place, self.url)
        event = {"type": "message", "subtype": "message_changed", "message": message, "previous_message": before, "hidden": True}
        if post.user == place.workspace.bot.id and not self._echo:
            return []
        return self._tell_members(place, [in_place(event | {"ts": ts}, place, ts)])

    def deleted(self, place: Place, post: Post) -> list[Delivery]:
        """Takes a message away. The first message of a thread leaves a stone behind, which Slack tells as a change."""
        before = message_object(post, place, self.url)
        ts = self.clock.ts()
        if any(other.thread_ts == post.ts and not other.deleted for other in place.posts):
            post.text, post.blocks, post.files, post.subtype = "This message was deleted.", [], [], "tombstone"
            post.user = "USLACKBOT"
            return self.changed(place, post, before)
        post.deleted = True
        event = {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": before,
            "deleted_ts": post.ts,
            "hidden": True,
        }
        return self._tell_members(place, [in_place(event | {"ts": ts}, place, ts)])

    def react(self, place: Place, post: Post, name: str, user: str, *, removed: bool = False) -> list[Delivery]:
        if removed:
            post.reactions.remove((name, user))
        else:
            post.reactions.append((name, user))
        event = {
            "type": "reaction_removed" if removed else "reaction_added",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": place.id, "ts": post.ts},
            "item_user": post.user,
            "event_ts": self.clock.ts(),
        }
        return self._tell_members(place, [event])

    def _tell_members(self, place: Place, events: Sequence[dict[str, Any]]) -> list[Delivery]:
        """The app hears of what happens only where its bot is a member."""
        if place.workspace.bot.id not in place.members or place.workspace.token is None:
            return []
        return [self.courier.send("events_api", event_callback(place.workspace, event), lane=place.id) for event in events]

    async def tell(self, workspace: Workspace, event: Mapping[str, Any], *, lane: str = "") -> Delivery:
        """Sends any event, and waits for the first attempt."""
        return await self.deliver(event_callback(workspace, dict(event)), lane=lane)

    async def deliver(self, payload: dict[str, Any], *, lane: str = "") -> Delivery:
        """Sends any `event_callback`, or whatever it is, and waits for the first attempt."""
        delivery = self.courier.send("events_api", payload, lane=lane)
        await delivery.tried.wait()
        return delivery

    async def interact(self, payload: dict[str, Any], *, lane: str = "") -> Delivery:
        """Sends any interaction, and waits for the answer."""
        delivery = self.courier.send("interactive", payload, lane=lane)
        await delivery.tried.wait()
        return delivery

    async def request(
        self,
        kind: Literal["events_api", "interactive", "slash_commands"],
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        sign: bool = True,
        timestamp: float | None = None,
        secret: str | None = None,
    ) -> tuple[int, str]:
        """Posts any bytes to one of the app's addresses and returns its status and words. `headers` come over the usual ones."""
        every = {"Content-Type": "application/json"}
        if sign:
            every |= signed(body, secret or self.signing_secret, timestamp=timestamp)
        async with self._http.session.post(
            self._http.addresses[kind], data=body, headers=every | dict(headers or {})
        ) as response:
            return response.status, await response.text()

    async def verify_url(self) -> bool:
        """Slack checks the address for events, as when it is entered in the app's configuration."""
        challenge = uuid4().hex
        body = json.dumps({"type": "url_verification", "token": "verification-token", "challenge": challenge}).encode()
        status, text = await self.request("events_api", body)
        return status == 200 and challenge in text

    # What goes wrong

    def fail(self, method: str = "*", *, times: int = 1, **fault: Any) -> None:
        """Plans what the next calls meet; see `Fault`."""
        self.faults.plan(Fault(method=method, times=times, **fault))

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    # Installation

    async def install(self, address: str, person: Person, *, allow: bool = True) -> tuple[int, str]:
        """A person installs the app from its page at `address`, in a browser; returns the last page's status and words."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
            async with browser.get(address, allow_redirects=False) as page:
                link = page.headers.get("Location") or _authorize_link(await page.text())
                cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in page.cookies.items())
            query = URL(urljoin(address, link)).query
            if query.get("client_id") != self.client_id:
                return 400, "invalid client_id"
            target = URL(query.get("redirect_uri") or self.redirect_url or "")
            code = uuid4().hex
            if allow:
                self.codes[code] = person.member
            answer = {"code": code} if allow else {"error": "access_denied"}
            back = target.update_query(answer | {"state": query.get("state", "")})
            async with browser.get(back, headers={"Cookie": cookies}, allow_redirects=False) as page:
                return page.status, await page.text()

    async def uninstall(self, workspace: Workspace) -> None:
        """Somebody removes the app: its token is dead, and it is told so."""
        workspace.token = None
        await self.tell(workspace, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot.id]}})
        await self.tell(workspace, {"type": "app_uninstalled"})

    # What the app asks

    def trigger(self, member: Member) -> str:
        """Lets the app open one dialogue for this person within three seconds."""
        trigger = f"{new_id('')}.{uuid4().hex}"
        self.api.views.triggers[trigger] = (member, time.monotonic())
        return trigger

    def response_url(self, place: Place, user: str, post: Post | None) -> str:
        id = uuid4().hex
        self.responses[id] = (place, user, post)
        return f"{self.url}/response/{id}"

    def respond(self, place: Place, user: str, answer: Mapping[str, Any], post: Post | None) -> None:
        """What an app answers to a command or an interaction. Raises `SlackError`."""
        if answer.get("delete_original") and post is not None:
            post.deleted = True
            return
        text, blocks = str(answer.get("text") or ""), checked(answer.get("blocks"))
        if not text and not blocks:
            raise SlackError("no_text")
        if answer.get("replace_original") and post is not None:
            post.text, post.blocks, post.edited = text, blocks, self.clock.ts()
            return
        seen_by = None if answer.get("response_type") == "in_channel" else user
        bot = place.workspace.bot.id
        posted = Post(ts=self.clock.ts(), user=bot, text=text, blocks=blocks, by_app=True, seen_by=seen_by)
        if seen_by:
            place.posts.append(posted)
        else:
            self.post(place, posted)


def _authorize_link(page: str) -> str:
    found = _AUTHORIZE_LINK.search(page)
    if found is None:
        raise LookupError("the page has no link to Slack")
    return found[1].replace("&amp;", "&")
