"""Who may act as an agent: full members of the workspace who are in the agents' channel."""

from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import Any

from slack_sdk.errors import SlackApiError

from frontdesk.channels.slack.client import Client, deliveries, reason
from frontdesk.channels.slack.incoming import find, text

SECONDS = 600.0
MEMBERS_SECONDS = 5.0
"""Somebody who is not found among the channel's members is looked for again after this."""
REMEMBERED = 5000
PAGE = 1000
MAX_NAME = 80


@dataclass(frozen=True)
class Agent:
    """`full`: no guest, no bot, nobody from another organisation, and not deactivated."""

    user: str
    name: str
    full: bool
    bot: bool = False


class Agents:
    """Asks Slack, and remembers the answers for a while. All methods raise `DeliveryError`."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._known: OrderedDict[str, tuple[float, Agent]] = OrderedDict()
        self._members: frozenset[str] = frozenset()
        self._read = float("-inf")
        self._home: frozenset[str] | None = None

    async def get(self, client: Client, user: str) -> Agent:
        known = self._known.get(user)
        if known is None or known[0] < monotonic():
            known = self._known[user] = (monotonic() + SECONDS, await self._ask(client, user))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known[1]

    async def is_member(self, client: Client, user: str) -> bool:
        """Whether the user is in the agents' channel. Buttons can be pressed by anybody who looks at a public channel."""
        age = monotonic() - self._read
        if age > SECONDS or (user not in self._members and age > MEMBERS_SECONDS):
            self._members, self._read = await self._all_members(client), monotonic()
        return user in self._members

    async def _ask(self, client: Client, user: str) -> Agent:
        with deliveries():
            if self._home is None:
                us = await client.auth_test()
                self._home = frozenset(str(id) for id in (us.get("team_id"), us.get("enterprise_id")) if id)
            try:
                answer = await client.users_info(user=user)
            except SlackApiError as error:
                if reason(error) not in ("user_not_found", "user_not_visible"):
                    raise
                return Agent(user, user, full=False)
        return _agent(user, answer.get("user"), self._home)

    async def _all_members(self, client: Client) -> frozenset[str]:
        members: set[str] = set()
        cursor = ""
        while True:
            with deliveries():
                answer = await client.conversations_members(channel=self._channel, limit=PAGE, cursor=cursor)
            found: list[Any] = answer.get("members") or []
            members.update(map(str, found))
            cursor = text(answer.get("response_metadata"), "next_cursor")
            if not cursor:
                return frozenset(members)


def _agent(user: str, found: Any, home: frozenset[str]) -> Agent:
    name = text(found, "profile", "real_name") or text(found, "real_name") or text(found, "name") or user
    elsewhere = not {text(found, "team_id"), text(found, "enterprise_user", "enterprise_id")} & home
    odd = any(
        find(found, mark)
        for mark in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_workflow_bot")
    )
    return Agent(user, " ".join(name.split())[:MAX_NAME], full=not odd and not elsewhere, bot=bool(find(found, "is_bot")))
