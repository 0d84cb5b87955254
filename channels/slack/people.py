"""Who the users are: names, addresses and languages, asked for in the background and kept for a day."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from frontdesk.channels.slack.client import delivery_error, reason
from frontdesk.channels.slack.incoming import find, text
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import DeliveryError, DeliveryRejected
from frontdesk.core.tasks import Tasks

log = structlog.get_logger(__name__)

REMEMBERED = 20_000
SECONDS = 24 * 3600.0
AT_ONCE = 50
QUIET_SECONDS = 30.0
"""users.info takes about a hundred calls a minute. When it is too many, names have to wait."""


@dataclass(frozen=True)
class Person:
    name: str
    email: str | None = None
    language: str | None = None


def person(user: Mapping[str, Any]) -> Person | None:
    """From a user as users.info, `user_change` or a message's `user_profile` has it."""
    profile = user if find(user, "profile") is None else find(user, "profile")
    name = (
        text(profile, "display_name")
        or text(profile, "real_name")
        or text(user, "real_name")
        or text(user, "username")
        or text(user, "name")
    )
    if not name:
        return None
    return Person(name[:200], text(profile, "email") or None, text(user, "locale").partition("-")[0] or None)


class People:
    """Never waited for on the way in: somebody new has a name from the second message on, and then the conversation has it."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._known: OrderedDict[tuple[str, str], tuple[float, Person | None]] = OrderedDict()
        self._asking: set[tuple[str, str]] = set()
        self._quiet_until = 0.0
        self._tasks = Tasks()

    def get(self, account: str, user: str) -> Person | None:
        """What is known, and where that is nothing or old, a question to Slack for the next time."""
        known = self._known.get((account, user))
        now = monotonic()
        if (known is None or known[0] < now) and user and len(self._asking) < AT_ONCE and now >= self._quiet_until:
            self._ask(account, user)
        return known[1] if known else None

    async def asked(self, account: str, user: str) -> Person | None:
        """As `get`, but waits for the answer."""
        known = self._known.get((account, user))
        if known is None:
            await self._learn(account, user)
            known = self._known.get((account, user))
        return known[1] if known else None

    def learn(self, account: str, user: str, who: Person | None) -> None:
        self._known[account, user] = (monotonic() + SECONDS, who)
        self._known.move_to_end((account, user))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def changed(self, account: str, user: str, who: Person | None) -> None:
        """Slack tells this of everybody in the workspace: what counts is who has been asked for."""
        if (account, user) in self._known:
            self.learn(account, user, who)

    def names(self, account: str) -> "Names":
        return Names(self, account)

    async def stop(self) -> None:
        await self._tasks.drain(0)

    def _ask(self, account: str, user: str) -> None:
        if (account, user) not in self._asking:
            self._asking.add((account, user))
            self._tasks.start(self._learn(account, user))

    async def _learn(self, account: str, user: str) -> None:
        try:
            client = await self._workspaces.client(account)
            answer = await client.users_info(user=user, include_locale=True)
            found = answer.get("user")
            self.learn(account, user, person(found) if isinstance(found, Mapping) else None)
        except SlackApiError as error:
            log.debug("a Slack user is not known", account=account, user=user, error=reason(error))
            failure = delivery_error(error)
            if isinstance(failure, DeliveryRejected):
                self.learn(account, user, None)
            else:
                self._quiet_until = monotonic() + (getattr(failure, "retry_after", None) or QUIET_SECONDS)
        except (DeliveryError, ClientError, TimeoutError, OSError) as error:
            log.debug("a Slack user could not be asked for", account=account, user=user, error=type(error).__name__)
        finally:
            self._asking.discard((account, user))


class Names(Mapping[str, str]):
    """The names of one workspace's users, by id."""

    def __init__(self, people: People, account: str) -> None:
        self._people = people
        self._account = account

    def __getitem__(self, user: str) -> str:
        who = self._people.get(self._account, user) if user[:1] in ("U", "W") else None
        if who is None:
            raise KeyError(user)
        return who.name

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
