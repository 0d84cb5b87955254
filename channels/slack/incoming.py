"""What Slack sends, over HTTP or Socket Mode alike, and who is asked about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from frontdesk.core.errors import InvalidInput

Kind = Literal["event", "interaction", "command"]
ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One verified payload, not yet acknowledged.

    `payload` is the whole of it: an `event_callback` with its inner `event`, an interaction (`block_actions`,
    `view_submission`, `shortcut`, ...) or the fields of a slash command. `account` is the installation it belongs to: the
    workspace, or the organisation for an app that is installed in all of one. `bot` is the bot's user id where Slack tells it.
    """

    kind: Kind
    account: str
    payload: Mapping[str, Any]
    bot: str | None = None
    raw: bytes = b"null"

    @property
    def event(self) -> Mapping[str, Any]:
        """The inner event of an `event_callback`, and else what was sent."""
        return inner if isinstance(inner := self.payload.get("event"), dict) else self.payload

    @property
    def type(self) -> str:
        """Such as `message`, `reaction_added`, `block_actions` or `command`."""
        return "command" if self.kind == "command" else text(self.event, "type")

    @property
    def channel(self) -> str:
        """The id of the channel that it is about, or empty."""
        event = self.event
        return (
            text(event, "channel")
            or text(event, "channel", "id")
            or text(event, "channel_id")
            or text(event, "item", "channel")
            or text(event, "container", "channel_id")
        )

    @property
    def user(self) -> str:
        """The id of who did it, or empty."""
        return text(self.event, "user") or text(self.event, "user", "id") or text(self.event, "user_id")


def received(kind: Kind, payload: Mapping[str, Any], raw: bytes) -> Incoming:
    """Raises `InvalidInput` where it does not say which workspace it is about."""
    account, bot = _installation(payload)
    if not ACCOUNT.fullmatch(account):
        raise InvalidInput("it is about no workspace")
    return Incoming(kind=kind, account=account, payload=payload, bot=bot, raw=raw)


def _installation(payload: Mapping[str, Any]) -> tuple[str, str | None]:
    """Where messages of connected workspaces are seen, `authorizations` names the one that the app is installed in."""
    authorizations = payload.get("authorizations")
    given = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    bot = text(given, "user_id") if find(given, "is_bot") else ""
    for source in (given, payload):
        if find(source, "is_enterprise_install") in (True, "true"):
            account = text(source, "enterprise_id") or text(source, "enterprise", "id")
            if account:
                return account, bot or None
    account = (
        text(given, "team_id")
        or text(payload, "view", "app_installed_team_id")
        or text(payload, "team", "id")
        or text(payload, "team_id")
        or text(payload, "user", "team_id")
        or text(payload, "event", "team")
    )
    return account, bot or None


class Listener(Protocol):
    """Whoever is asked before the channel itself."""

    async def handle(self, incoming: Incoming) -> bool:
        """Whether this was for the listener and has been dealt with, durably: Slack gets its acknowledgement on return.

        It has well under three seconds, so what calls Slack goes on in the background. `Unavailable` makes Slack send it again.
        """

    async def run(self) -> None:
        """Works until it is cancelled, beside the channel's own `run`."""


def find(value: Any, *path: str) -> Any:
    """What lies there, or None, whatever the shape of the payload is."""
    for key in path:
        # Decoded JSON has no other mappings, and `dict` is looked up much faster than `Mapping`.
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any, *path: str) -> str:
    """The string that lies there, or an empty one."""
    for key in path:  # as in `find`, which is not called because this is done dozens of times for each event
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
