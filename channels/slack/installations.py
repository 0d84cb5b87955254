"""Slack's own stores of installations and of the state of an installation under way, kept in the data folder."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.sqlite3 import SQLite3InstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.state_store.sqlite3 import SQLite3OAuthStateStore

from frontdesk.channels.slack.client import sdk_logger

STATE_SECONDS = 600
DATABASE = "slack.db"

T = TypeVar("T")


class Installations(AsyncInstallationStore, AsyncOAuthStateStore):
    """Works off the event loop. The file holds tokens, so only its owner can read it."""

    def __init__(self, folder: Path, client_id: str) -> None:
        self._file = folder / DATABASE
        self._client_id = client_id
        self._installed = SQLite3InstallationStore(database=str(self._file), client_id=client_id, logger=sdk_logger)
        self._states = SQLite3OAuthStateStore(database=str(self._file), expiration_seconds=STATE_SECONDS, logger=sdk_logger)
        self._one = asyncio.Lock()

    async def bot(self, account: str) -> Bot | None:
        """The newest installation in a workspace (T...), or in the whole of an organisation (E...)."""

        def find() -> Bot | None:
            enterprise = self._enterprise(account)
            if enterprise is None:
                return None
            everywhere = account == enterprise
            return self._installed.find_bot(
                enterprise_id=enterprise, team_id=None if everywhere else account, is_enterprise_install=everywhere
            )

        return await self._run(find)

    async def accounts(self) -> list[str]:
        """Wherever the app is installed."""

        def read() -> list[str]:
            with closing(self._installed.connect()) as database:
                rows = database.execute(
                    "select distinct case when team_id = '' then enterprise_id else team_id end from slack_bots"
                    " where client_id = ?",
                    (self._client_id,),
                )
                return [str(account) for (account,) in rows]

        return await self._run(read)

    async def delete(self, account: str) -> None:
        """Forgets an installation, with its tokens."""

        def remove() -> None:
            if (enterprise := self._enterprise(account)) is not None:
                self._installed.delete_all(enterprise_id=enterprise, team_id=None if account == enterprise else account)

        await self._run(remove)

    async def async_save(self, installation: Installation) -> None:
        await self._run(partial(self._installed.save, installation))

    async def async_save_bot(self, bot: Bot) -> None:
        await self._run(partial(self._installed.save_bot, bot))

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        return str(await self._run(self._states.issue))

    async def async_consume(self, state: str) -> bool:
        return await self._run(partial(self._states.consume, state))

    def _enterprise(self, account: str) -> str | None:
        """The organisation of an installation, empty for a workspace of its own; None if there is no installation."""
        with closing(self._installed.connect()) as database:
            row = database.execute(
                "select enterprise_id from slack_bots where client_id = ?"
                " and (team_id = ? or (team_id = '' and enterprise_id = ?))"
                " order by installed_at desc, id desc limit 1",
                (self._client_id, account, account),
            ).fetchone()
        return None if row is None else str(row[0])

    async def _run(self, work: Callable[[], T]) -> T:
        # One at a time: the first use makes the tables.
        async with self._one:
            return await asyncio.to_thread(self._in_private, work)

    def _in_private(self, work: Callable[[], T]) -> T:
        self._file.touch(mode=0o600, exist_ok=True)
        return work()
