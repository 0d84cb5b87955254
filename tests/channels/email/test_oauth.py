"""Access tokens instead of passwords."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from pydantic import SecretStr

from frontdesk.channels.email.imap import Connection, ImapError, LoginRefused
from frontdesk.channels.email.oauth import EARLY, TokenError, Tokens
from frontdesk.channels.email.settings import EmailSettings, Server
from frontdesk.channels.email.smtp import Envelope, Mailer
from frontdesk.core.errors import ConfigurationError, DeliveryDeferred
from frontdesk.testing.mail import MailServer

from .conftest import host
from .running import ANN, BOT, PASSWORDS


class Provider:
    """Gives what `answer` says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: tuple[int, object] = (200, {"access_token": PASSWORDS[BOT], "expires_in": 3600})
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        return web.json_response(self.answer[1], status=self.answer[0])


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    app = web.Application()
    app.router.add_post("/token", provider.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield provider
    await runner.cleanup()


def by_token(port: int, provider: Provider) -> Server:
    return replace(host(port), password=SecretStr(""), tokens=Tokens(url=provider.url, client_id="app"))


async def test_it_logs_in_with_a_token_which_is_asked_for_once(server: MailServer, provider: Provider) -> None:
    imap = by_token(server.imap.port, provider)
    mailer = Mailer(replace(imap, port=server.smtp.port))
    for _ in range(2):
        connection = await Connection.open(imap)
        await connection.select("INBOX")
        await connection.close()
        await mailer.check()
    await mailer.send(Envelope(id="1", sender=BOT, recipients=[ANN], size=9, chunks=lambda: iter([b"\r\nwords\r\n"])))
    await mailer.close()
    assert server.smtp.received[0].user == BOT
    assert provider.asked == [{"client_id": "app", "grant_type": "client_credentials"}]


async def test_a_refused_token_is_replaced(server: MailServer, provider: Provider) -> None:
    imap = by_token(server.imap.port, provider)
    mailer = Mailer(replace(imap, port=server.smtp.port))
    provider.answer = (200, {"access_token": "stale", "expires_in": 3600})
    with pytest.raises(LoginRefused):
        await Connection.open(imap, seconds=2)
    with pytest.raises(ConfigurationError, match="OAUTH"):
        await mailer.check()
    provider.answer = (200, {"access_token": PASSWORDS[BOT]})
    await (await Connection.open(imap)).close()
    await mailer.check()


async def test_a_token_is_replaced_before_it_ends(provider: Provider) -> None:
    now = 0.0
    tokens = Tokens(
        url=provider.url,
        client_id="app",
        client_secret=SecretStr("s"),
        refresh_token=SecretStr("r1"),
        scope="mail",
        clock=lambda: now,
    )
    provider.answer = (200, {"access_token": "one", "expires_in": 3600, "refresh_token": "r2"})
    assert [await tokens.get(), await tokens.get()] == ["one", "one"]
    now = 3600 - EARLY
    await tokens.get()
    expected = {"client_id": "app", "grant_type": "refresh_token", "client_secret": "s", "scope": "mail"}
    assert provider.asked == [{**expected, "refresh_token": "r1"}, {**expected, "refresh_token": "r2"}]
    assert "r1" not in repr(tokens) + str(tokens)


@pytest.mark.parametrize("answer", [(400, {"error": "invalid_grant"}), (200, {}), (200, []), (500, "down")])
async def test_a_provider_that_gives_none_is_waited_for(
    server: MailServer, provider: Provider, answer: tuple[int, object]
) -> None:
    provider.answer = answer
    imap = by_token(server.imap.port, provider)
    with pytest.raises(TokenError):
        await Tokens(url=provider.url, client_id="app").get()
    with pytest.raises(ImapError):
        await Connection.open(imap)
    mailer = Mailer(replace(imap, port=server.smtp.port))
    with pytest.raises(DeliveryDeferred, match="no access token"):
        await mailer.send(Envelope(id="1", sender=BOT, recipients=[ANN], size=0, chunks=lambda: iter(())))
    with pytest.raises(ConfigurationError, match="FRONTDESK_CHANNELS__EMAIL__OAUTH_TOKEN_URL"):
        await mailer.check()


def test_the_settings_need_no_password_then() -> None:
    settings = EmailSettings(
        address=BOT,
        imap_host="outlook.office365.com",
        smtp_host="smtp.office365.com",
        oauth_token_url="https://login.example/token",
        oauth_client_id="app",
        oauth_client_secret=SecretStr("s3cret"),
    )
    (account,) = settings.accounts
    assert account.imap.tokens is account.smtp.tokens is not None
    assert "s3cret" not in repr(account)
