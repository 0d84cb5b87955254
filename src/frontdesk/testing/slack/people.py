"""People who use Slack: they write, press, edit, and read what is on their screen."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from frontdesk.testing.slack.delivery import Delivery
from frontdesk.testing.slack.emoji import NAMES
from frontdesk.testing.slack.payloads import in_place, interaction, message_object
from frontdesk.testing.slack.typed import typed
from frontdesk.testing.slack.visible import blocks as words_of_blocks
from frontdesk.testing.slack.visible import buttons, label_of, mrkdwn, options_of
from frontdesk.testing.slack.workspace import Member, Place, Post, Workspace

if TYPE_CHECKING:
    from frontdesk.testing.slack.server import FakeSlack


class Person:
    """`await ann.dm()` is her conversation with the bot, `ann.at(place)` what she sees of another place."""

    def __init__(self, slack: "FakeSlack", member: Member) -> None:
        self.slack = slack
        self.member = member
        self.id = member.id
        self.name = member.name
        self.mention = f"<@{member.id}>"

    @property
    def workspace(self) -> Workspace:
        return self.member.workspace

    async def dm(self) -> "View":
        return View(self, self.workspace.direct(self.id))

    def at(self, place: "Place | View") -> "View":
        place = place.place if isinstance(place, View) else place
        if self.id not in place.members:
            raise LookupError(f"{self.name} is no member of {place.name or place.id}")
        return View(self, place)

    async def open_home(self, tab: Literal["home", "messages"] = "home") -> Delivery:
        """Opens the app's Home, and waits for the first attempt to tell the app."""
        dm = self.workspace.direct(self.id)
        event: dict[str, Any] = {"type": "app_home_opened", "user": self.id, "channel": dm.id, "tab": tab}
        if tab == "home" and (view := self.workspace.homes.get(self.id)):
            event["view"] = view
        return await self.slack.tell(self.workspace, event | {"event_ts": self.slack.clock.ts()}, lane=dm.id)

    @property
    def home(self) -> "Surface | None":
        """What the app has published on its Home for this person."""
        view = self.workspace.homes.get(self.id)
        return Surface(self, view) if view else None

    @property
    def modal(self) -> "Surface | None":
        """The dialogue that is open."""
        view = self.workspace.views.get(self.id)
        return Surface(self, view) if view else None

    async def submit(self, values: Mapping[str, Any] | None = None) -> Delivery:
        """Submits the open dialogue. `values` by action id; a dialogue that the app accepts is closed."""
        view = self.workspace.views.get(self.id)
        if view is None:
            raise LookupError("no dialogue is open")
        state: dict[str, Any] = {}
        for element in buttons(view["blocks"]):
            value = (values or {}).get(element.get("action_id", ""))
            option = {"selected_option": {"value": value}} if options_of(element) else {"value": value}
            state.setdefault(element["block_id"], {})[element.get("action_id", "")] = {"type": element["type"]} | option
        payload = interaction("view_submission", self.member, self.slack.trigger(self.member))
        payload |= {"view": view | {"state": {"values": state}}, "response_urls": []}
        delivery = await self.slack.interact(payload, lane=self.id)
        body = delivery.body if isinstance(delivery.body, dict) else {}
        if delivery.acknowledged and body.get("response_action") in (None, "clear"):
            self.workspace.views.pop(self.id, None)
        return delivery

    async def command(self, command: str, text: str = "", *, at: "View | None" = None) -> Delivery:
        """Types a slash command. What the app answers is shown to this person only."""
        place = at.place if at else self.workspace.direct(self.id)
        names = {"im": "directmessage", "mpim": "mpdm", "group": "privategroup"}
        payload = {
            "token": "verification-token",
            "team_id": self.workspace.id,
            "team_domain": self.workspace.host.partition(".")[0],
            "channel_id": place.id,
            "channel_name": names.get(place.kind, place.name),
            "user_id": self.id,
            "user_name": self.name.lower().replace(" ", "."),
            "command": command,
            "text": text,
            "api_app_id": self.workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self.slack.response_url(place, self.id, None),
            "trigger_id": self.slack.trigger(self.member),
        }
        delivery = self.slack.courier.send("slash_commands", payload, lane=place.id)
        await delivery.tried.wait()
        answer = delivery.body
        if delivery.acknowledged and answer:
            self.slack.respond(place, self.id, answer if isinstance(answer, dict) else {"text": str(answer)}, None)
        return delivery

    async def shortcut(self, callback_id: str) -> Delivery:
        """Chooses a global shortcut."""
        payload = interaction("shortcut", self.member, self.slack.trigger(self.member))
        return await self.slack.interact(payload | {"callback_id": callback_id, "action_ts": self.slack.clock.ts()}, lane=self.id)

    async def open_assistant(self) -> "Shown":
        """Opens a new thread with the app beside the window, and returns the thread's first message, which is empty."""
        dm = await self.dm()
        root = Post(ts=self.slack.clock.ts(), user=self.workspace.bot.id, text="New chat", subtype="assistant_app_thread")
        dm.place.posts.append(root)
        thread = {
            "user_id": self.id,
            "context": {"channel_id": dm.place.id, "team_id": self.workspace.id, "enterprise_id": None},
            "channel_id": dm.place.id,
            "thread_ts": root.ts,
        }
        event = {"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": root.ts}
        await self.slack.tell(self.workspace, event, lane=dm.place.id)
        return Shown(dm, root)


class View:
    """A place as one person sees it."""

    def __init__(self, person: Person, place: Place) -> None:
        self.person = person
        self.place = place
        self.slack = person.slack

    @property
    def messages(self) -> "list[Shown]":
        """All messages, those in threads too, in the order of time."""
        return [
            Shown(self, post)
            for post in self.place.posts
            if not post.deleted and post.seen_by in (None, self.person.id) and post.subtype != "assistant_app_thread"
        ]

    @property
    def replies(self) -> "list[Shown]":
        """The messages of the bot."""
        return [message for message in self.messages if message.by_bot]

    def thread(self, root: "Shown | str") -> "list[Shown]":
        """A thread, its first message included."""
        ts = _ts(root)
        return [message for message in self.messages if ts in (message.ts, message.thread_ts)]

    @property
    def status(self) -> str:
        """What the app says that it is doing, in any thread."""
        return next((status for status in reversed(self.place.status.values()) if status), "")

    async def write(
        self,
        text: str = "",
        *,
        thread: "Shown | str | None" = None,
        broadcast: bool = False,
        files: Mapping[str, bytes] | None = None,
        clip: tuple[str, bytes] | None = None,
        blocks: Sequence[Mapping[str, Any]] | None = None,
    ) -> "Shown":
        """Posts a message, and waits for the first attempt to tell the app.

        `clip` is an audio clip recorded in Slack: its name and bytes. `blocks` are what the client makes of formatted text.
        """
        workspace, clock = self.place.workspace, self.slack.clock
        stored = [self.slack.add_file(workspace, name, data, self.person.id) for name, data in (files or {}).items()]
        if clip:
            stored.append(self.slack.add_file(workspace, clip[0], clip[1], self.person.id, clip="slack_audio", seconds=2.5))
        words, rich = typed(text)
        post = Post(
            ts=clock.ts(),
            user=self.person.id,
            text=words,
            blocks=[dict(block) for block in blocks] if blocks is not None else rich,
            files=stored,
            thread_ts=_ts(thread) if thread is not None else None,
            subtype="thread_broadcast" if broadcast else "file_share" if stored else None,
            client_msg_id=str(uuid4()),
        )
        shown = Shown(self, post)
        shown.deliveries = self.slack.post(self.place, post)
        for delivery in shown.deliveries:
            await delivery.tried.wait()
        return shown

    async def press(self, label: str, **fields: Any) -> Delivery:
        """Presses the newest button of that label, or chooses the newest option of it. Raises `LookupError`."""
        for message in reversed(self.messages):
            if label in message.buttons or label in message.options:
                return await message.press(label, **fields)
        raise LookupError(f"there is no {label!r} to press")


class Shown:
    """One message on somebody's screen."""

    def __init__(self, view: View, post: Post) -> None:
        self.view = view
        self.post = post
        self.deliveries: list[Delivery] = []

    def __repr__(self) -> str:
        return f"<{self.by}: {self.text!r}{f' {self.buttons}' if self.buttons else ''}>"

    @property
    def ts(self) -> str:
        return self.post.ts

    @property
    def thread_ts(self) -> str | None:
        return self.post.thread_ts

    @property
    def by(self) -> str:
        return self.post.app_name or self._name(self.post.user)

    @property
    def by_bot(self) -> bool:
        return self.post.user == self.view.place.workspace.bot.id

    @property
    def text(self) -> str:
        """As it is read, without any markup."""
        words = words_of_blocks(self.post.blocks, self._name) if self.post.blocks else mrkdwn(self.post.text, self._name)
        if self.post.files and self.post.blocks == [] and self.post.text:
            words = mrkdwn(self.post.text, self._name)
        more = [
            words_of_blocks(one["blocks"], self._name) if one.get("blocks") else one.get("text", "")
            for one in self.post.attachments
        ]
        return "\n".join(piece for piece in (words, *more) if piece)

    @property
    def buttons(self) -> list[str]:
        return [label_of(element) for element in self._elements() if element["type"] in ("button", "workflow_button")]

    @property
    def options(self) -> list[str]:
        """The choices of all menus."""
        return [label_of(option) for element in self._elements() for option in options_of(element)]

    @property
    def files(self) -> dict[str, bytes]:
        return {file.name: file.data for file in self.post.files if not file.deleted}

    @property
    def reactions(self) -> list[str]:
        return [name for name, _ in self.post.reactions]

    @property
    def edited(self) -> bool:
        return self.post.edited is not None

    @property
    def only_you(self) -> bool:
        return self.post.seen_by is not None

    async def edit(self, text: str, *, blocks: Sequence[Mapping[str, Any]] | None = None) -> None:
        slack, place = self.view.slack, self.view.place
        before = message_object(self.post, place, slack.url)
        words, rich = typed(text)
        self.post.text, self.post.blocks = words, [dict(block) for block in blocks] if blocks is not None else rich
        self.post.edited = slack.clock.ts()
        await _tried(slack.changed(place, self.post, before))

    async def unfurl(self, title: str = "A page") -> None:
        """Slack adds a preview of a link: an event like an edit, though the words are the same."""
        slack, place = self.view.slack, self.view.place
        before = message_object(self.post, place, slack.url)
        self.post.attachments = [{"id": 1, "from_url": "https://shop.example", "title": title, "fallback": title}]
        await _tried(slack.changed(place, self.post, before))

    async def delete(self) -> None:
        await _tried(self.view.slack.deleted(self.view.place, self.post))

    async def react(self, emoji: str) -> None:
        """With a character, or Slack's name of it."""
        await _tried(self.view.slack.react(self.view.place, self.post, NAMES.get(emoji, emoji), self.view.person.id))

    async def unreact(self, emoji: str) -> None:
        name = NAMES.get(emoji, emoji)
        await _tried(self.view.slack.react(self.view.place, self.post, name, self.view.person.id, removed=True))

    async def repeat(self) -> None:
        """Slack delivers the same events once more, as after an answer that came too late."""
        for delivery in list(self.deliveries):
            again = self.view.slack.courier.send(delivery.kind, delivery.payload, lane=self.view.place.id, number=1)
            await again.tried.wait()

    async def press(self, label: str, *, value: str | None = None) -> Delivery:
        """Presses a button, or chooses an option of a menu. Raises `LookupError`. `value` forges what the button carries."""
        for element in self._elements():
            action: dict[str, Any] = {key: element[key] for key in ("action_id", "block_id", "type") if key in element}
            action |= {"action_ts": self.view.slack.clock.ts()}
            if element["type"] == "button" and label_of(element) == label:
                action |= {"text": element["text"], "value": value if value is not None else element.get("value")}
                return await self._act(action)
            for option in options_of(element):
                if label_of(option) == label:
                    return await self._act(action | {"selected_option": option})
        raise LookupError(f"there is no {label!r} to press in {self!r}")

    async def shortcut(self, callback_id: str) -> Delivery:
        """Chooses a shortcut from the message's menu."""
        slack, place = self.view.slack, self.view.place
        payload = interaction("message_action", self.view.person.member, slack.trigger(self.view.person.member))
        payload |= {
            "callback_id": callback_id,
            "action_ts": slack.clock.ts(),
            "message_ts": self.ts,
            "message": message_object(self.post, place, slack.url),
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "response_url": slack.response_url(place, self.view.person.id, self.post),
        }
        return await slack.interact(payload, lane=place.id)

    async def _act(self, action: dict[str, Any]) -> Delivery:
        slack, place, person = self.view.slack, self.view.place, self.view.person
        payload = interaction("block_actions", person.member, slack.trigger(person.member))
        container: dict[str, Any] = {
            "type": "message",
            "message_ts": self.ts,
            "channel_id": place.id,
            "is_ephemeral": self.only_you,
        }
        if self.thread_ts:
            container["thread_ts"] = self.thread_ts
        payload |= {
            "container": container,
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "state": {"values": {}},
            "response_url": slack.response_url(place, person.id, self.post),
            "actions": [action],
        }
        if not self.only_you:  # Slack does not send the content of a message that only one person sees
            payload["message"] = message_object(self.post, place, slack.url)
        return await slack.interact(payload, lane=place.id)

    def _elements(self) -> list[dict[str, Any]]:
        return buttons(self.post.blocks)

    def _name(self, id: str) -> str:
        workspace = self.view.place.workspace
        if id in workspace.members:
            return workspace.members[id].name
        return workspace.places[id].name if id in workspace.places else id


class Surface:
    """The app's Home, or a dialogue."""

    def __init__(self, person: Person, view: dict[str, Any]) -> None:
        self.person = person
        self.view = view

    @property
    def title(self) -> str:
        return str((self.view.get("title") or {}).get("text", ""))

    @property
    def text(self) -> str:
        return words_of_blocks(self.view["blocks"])

    @property
    def buttons(self) -> list[str]:
        return [label_of(element) for element in buttons(self.view["blocks"]) if element["type"] == "button"]

    async def press(self, label: str) -> Delivery:
        """Presses a button. Raises `LookupError`."""
        slack = self.person.slack
        for element in buttons(self.view["blocks"]):
            if element["type"] == "button" and label_of(element) == label:
                payload = interaction("block_actions", self.person.member, slack.trigger(self.person.member))
                action = {key: element[key] for key in ("action_id", "block_id", "type", "text", "value") if key in element}
                payload |= {
                    "container": {"type": "view", "view_id": self.view["id"]},
                    "view": self.view,
                    "actions": [action | {"action_ts": slack.clock.ts()}],
                }
                return await slack.interact(payload, lane=self.person.id)
        raise LookupError(f"there is no button {label!r}")


def message_events(slack: "FakeSlack", place: Place, post: Post) -> list[dict[str, Any]]:
    """What the app is told of a new message: in a channel a mention comes twice, as two events."""
    body = message_object(post, place, slack.url)
    events = [in_place(body, place, post.ts)]
    if place.kind != "im" and not post.by_app and f"<@{place.workspace.bot.id}>" in post.text:
        mention = {key: value for key, value in body.items() if key != "subtype"}
        events.insert(0, mention | {"type": "app_mention", "channel": place.id, "event_ts": post.ts})
    return events


async def _tried(deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries:
        await delivery.tried.wait()


def _ts(message: "Shown | str") -> str:
    return message if isinstance(message, str) else message.thread_ts or message.ts
