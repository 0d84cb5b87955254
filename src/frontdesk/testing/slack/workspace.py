"""What a fake Slack knows: workspaces, their people, the places they write in, and what they wrote."""

import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

PlaceKind = Literal["im", "mpim", "channel", "group"]

_EVENT_TYPES: dict[PlaceKind, str] = {"im": "im", "mpim": "mpim", "channel": "channel", "group": "group"}
_PREFIXES: dict[PlaceKind, str] = {"im": "D", "mpim": "G", "channel": "C", "group": "G"}
_numbers = count(1)


def new_id(prefix: str) -> str:
    """Ids look like Slack's and are unique in the process."""
    return f"{prefix}{next(_numbers):08d}"


class Clock:
    """Message timestamps: seconds with six decimals, never the same twice."""

    def __init__(self) -> None:
        self._last = 0

    def ts(self) -> str:
        self._last = max(self._last + 1, int(time.time() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


@dataclass(eq=False, kw_only=True)
class Member:
    """A person or a bot user. `guest` is a restricted account; `external` belongs to another organisation (Slack Connect)."""

    id: str
    name: str
    workspace: "Workspace"
    email: str | None = None
    locale: str = "en-US"
    bot: bool = False
    guest: bool = False
    external: bool = False
    deleted: bool = False

    def as_object(self, *, with_email: bool = True, with_locale: bool = False) -> dict[str, Any]:
        """https://docs.slack.dev/reference/objects/user-object"""
        profile: dict[str, Any] = {
            "real_name": self.name,
            "real_name_normalized": self.name,
            "display_name": self.name.partition(" ")[0].lower(),
            "display_name_normalized": self.name.partition(" ")[0].lower(),
            "avatar_hash": "g0000000000",
            "team": self.workspace.id,
        }
        if self.email and with_email:
            profile["email"] = self.email
        return {
            "id": self.id,
            "team_id": "T0EXTERNAL" if self.external else self.workspace.id,
            "name": self.name.lower().replace(" ", "."),
            "real_name": self.name,
            "deleted": self.deleted,
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_bot": self.bot,
            "is_app_user": False,
            "is_stranger": self.external,
            "updated": 1700000000,
        } | ({"locale": self.locale} if with_locale else {})


@dataclass(eq=False, kw_only=True)
class StoredFile:
    """A file in Slack. `visible` is false where an app must ask `files.info` for it (Slack Connect)."""

    id: str
    name: str
    data: bytes
    media_type: str
    user: str
    team: str
    at: int
    clip: Literal["slack_audio", "slack_video"] | None = None
    seconds: float | None = None
    visible: bool = True
    deleted: bool = False


@dataclass(eq=False, kw_only=True)
class Post:
    """A message. `seen_by` is set on one that only that person sees."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    thread_ts: str | None = None
    subtype: str | None = None
    metadata: dict[str, Any] | None = None
    by_app: bool = False
    app_name: str | None = None
    seen_by: str | None = None
    edited: str | None = None
    deleted: bool = False
    client_msg_id: str | None = None


@dataclass(eq=False, kw_only=True)
class Place:
    """A direct message, a group of people, or a channel (`group` is a private one)."""

    id: str
    kind: PlaceKind
    name: str
    workspace: "Workspace"
    members: list[str]
    posts: list[Post] = field(default_factory=list)
    archived: bool = False
    shared: bool = False
    status: dict[str, str] = field(default_factory=dict)
    """What the app says that it is doing, by thread."""

    @property
    def event_kind(self) -> str:
        """`channel_type` of a message event."""
        return _EVENT_TYPES[self.kind]

    def post(self, ts: str) -> Post | None:
        return next((post for post in self.posts if post.ts == ts and not post.deleted and post.seen_by is None), None)

    def as_object(self) -> dict[str, Any]:
        """https://docs.slack.dev/reference/objects/conversation-object"""
        common: dict[str, Any] = {"id": self.id, "created": 1700000000, "is_archived": self.archived, "is_org_shared": False}
        if self.kind == "im":
            person = next(member for member in self.members if member != self.workspace.bot.id)
            return common | {"is_im": True, "user": person}
        return common | {
            "name": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_ext_shared": self.shared,
            "is_member": self.workspace.bot.id in self.members,
            "num_members": len(self.members),
        }


class Workspace:
    """`token` is the bot's, None while the app is not installed."""

    def __init__(self, name: str, app_id: str, bot_name: str, *, installed: bool) -> None:
        self.id = new_id("T")
        self.name = name
        self.app_id = app_id
        self.bot_id = new_id("B")
        self.members: dict[str, Member] = {}
        self.places: dict[str, Place] = {}
        self.files: dict[str, StoredFile] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.token: str | None = None
        self.bot = self.add_member(bot_name, bot=True)
        if installed:
            self.install()

    def install(self) -> str:
        self.token = f"xoxb-{self.id}-{new_id('')}"
        return self.token

    def add_member(self, name: str, **fields: Any) -> Member:
        member = Member(id=new_id("U"), name=name, workspace=self, **fields)
        self.members[member.id] = member
        return member

    def add_place(self, kind: PlaceKind, name: str, members: list[str]) -> Place:
        place = Place(id=new_id(_PREFIXES[kind]), kind=kind, name=name, workspace=self, members=members)
        self.places[place.id] = place
        return place

    def direct(self, person: str) -> Place:
        """The direct message of a person with the bot."""
        for place in self.places.values():
            if place.kind == "im" and person in place.members:
                return place
        return self.add_place("im", "", [person, self.bot.id])

    @property
    def host(self) -> str:
        return f"{self.name.lower().replace(' ', '-')}.slack.com"
