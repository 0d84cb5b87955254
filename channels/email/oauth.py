"""Access tokens for providers that take no passwords (RFC 6749), used by IMAP and SMTP as XOAUTH2."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout
from pydantic import SecretStr

EARLY = 120.0
"""Seconds before its end from which on a token is not used any more."""
SECONDS = 20.0


class TokenError(Exception):
    """There is no token to be had. The words are safe to show."""


@dataclass(slots=True, kw_only=True)
class Tokens:
    """With a refresh token it acts for the person who has granted that, and without one for the application itself."""

    url: str
    client_id: str
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    scope: str | None = None
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def get(self) -> str:
        """One that is still good for a while. Raises `TokenError`."""
        async with self._asking:
            if self.clock() >= self._until:
                await self._ask()
            return self._token

    def forget(self) -> None:
        """The token was refused: the next one is a new one."""
        self._until = 0.0

    async def _ask(self) -> None:
        form = {"client_id": self.client_id, "grant_type": "refresh_token" if self.refresh_token else "client_credentials"}
        if self.client_secret is not None:
            form["client_secret"] = self.client_secret.get_secret_value()
        if self.refresh_token is not None:
            form["refresh_token"] = self.refresh_token.get_secret_value()
        if self.scope:
            form["scope"] = self.scope
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=SECONDS)) as session,
                session.post(self.url, data=form, allow_redirects=False) as response,
            ):
                answer = await response.json(content_type=None)
        except (ClientError, TimeoutError, ValueError) as error:
            raise TokenError(f"{self.url} gives no access token: {type(error).__name__}") from None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if response.status != 200 or not isinstance(token, str):
            said = str(answer.get("error", "")) if isinstance(answer, dict) else ""
            raise TokenError(f"{self.url} gives no access token: HTTP {response.status} {said[:50]}".rstrip())
        seconds = answer.get("expires_in")
        self._token = token
        self._until = self.clock() + (seconds - EARLY if isinstance(seconds, int | float) else EARLY)
        # Some providers give another refresh token with each access token, and let the old one expire some time.
        if isinstance(fresh := answer.get("refresh_token"), str) and self.refresh_token is not None:
            self.refresh_token = SecretStr(fresh)
