"""Vertex is asked with the machine's own credentials, by the real google-auth."""

import json

import pytest
from aiohttp import web
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatRequest
from frontdesk.core.errors import ConfigurationError, ModelUnavailable
from frontdesk.plugins.models.remote import google
from frontdesk.testing.openai import FakeOpenAI

pytestmark = needs("openai", "jsonschema", "google", "cryptography", "requests")


class Tokens:
    """Gives tokens that are about to expire, or none."""

    def __init__(self) -> None:
        self.given = 0
        self.refuses = False

    async def __aenter__(self):
        application = web.Application()
        application.router.add_post("/token", self._give)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/token"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    async def _give(self, request):
        form = await request.post()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        if self.refuses:
            return web.json_response({"error": "invalid_grant", "error_description": "of ann@example.com"}, status=400)
        self.given += 1
        return web.json_response({"access_token": f"ya29.{self.given}", "expires_in": 1, "token_type": "Bearer"})


@pytest.fixture
async def tokens():
    async with Tokens() as tokens:
        yield tokens


@pytest.fixture
async def service():
    async with FakeOpenAI("vertex", key="") as service:
        yield service


@pytest.fixture
def account(tokens, tmp_path, monkeypatch):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    path = tmp_path / "account.json"
    account = {"type": "service_account", "private_key_id": "1", "private_key": pem, "client_email": "bot@shop.example"}
    path.write_text(json.dumps(account | {"token_uri": tokens.url}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


async def test_the_token_is_renewed_before_it_expires(account, service, chat_with):
    chat = chat_with(service, "vertex", api_key=None)
    await chat.start()
    for _ in range(2):
        assert (await chat.complete(ChatRequest.of("Hello"))).text == "Hello"
    assert [request.headers["Authorization"] for request in service.requests] == ["Bearer ya29.1", "Bearer ya29.2"]


async def test_a_token_of_the_configuration_is_taken_as_it_is(service, chat_with):
    await chat_with(service, "vertex", api_key="ya29.mine").complete(ChatRequest.of("Hello"))
    assert service.requests[0].headers["Authorization"] == "Bearer ya29.mine"


async def test_without_a_token_nobody_is_asked(account, tokens, service, chat_with):
    tokens.refuses = True
    with pytest.raises(ModelUnavailable, match="access token") as caught:
        await chat_with(service, "vertex", api_key=None).complete(ChatRequest.of("Hello"))
    assert "ann@example.com" not in str(caught.value)
    assert service.requests == []


async def test_credentials_that_cannot_be_read_are_told(service, chat_with, tmp_path, monkeypatch):
    (tmp_path / "account.json").write_text("{}")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(ModelUnavailable, match="access token"):
        await chat_with(service, "vertex", api_key=None).complete(ChatRequest.of("Hello"))


async def test_without_the_package_a_key_is_needed(service, chat_with, monkeypatch):
    monkeypatch.setattr(google, "installed", lambda: False)
    with pytest.raises(ConfigurationError, match=r"models\.chat\.api_key.*google-auth"):
        await chat_with(service, "vertex", api_key=None).start()
