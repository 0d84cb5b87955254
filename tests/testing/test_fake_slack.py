"""The fake Slack, asked by the real SDK."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from frontdesk.testing.slack import FakeSlack, Place

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retries=(0.0, 0.01, 0.01), seconds=0.5) as slack:
        yield slack


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url)


class Receiver:
    """An app that checks signatures and remembers what it is told. `answers` are the next statuses; then 200."""

    def __init__(self, secret: str) -> None:
        self.verifier = SignatureVerifier(secret)
        self.told: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.body: Any = None
        self.sleep = 0.0

    @property
    def events(self) -> list[dict[str, Any]]:
        return [payload["event"] for payload in self.told if "event" in payload]

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        if not self.verifier.is_valid_request(body, dict(request.headers)):
            return web.Response(status=401)
        if request.content_type == "application/json":
            payload = json.loads(body)
        else:
            form = await request.post()
            payload = json.loads(str(form["payload"])) if "payload" in form else dict(form)
        if payload.get("type") == "url_verification":
            return web.json_response({"challenge": payload["challenge"]})
        self.told.append(payload)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.sleep)
        self.sleep = 0
        status = self.answers.pop(0) if self.answers else 200
        return web.json_response(self.body, status=status) if self.body else web.Response(status=status)


@pytest.fixture
async def app(slack: FakeSlack) -> AsyncIterator[Receiver]:
    receiver = Receiver(slack.signing_secret)
    http = web.Application()
    http.router.add_post("/slack", receiver.take)
    runner = web.AppRunner(http, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/slack"
    slack.serve(address, interactions=address, commands=address)
    yield receiver
    await runner.cleanup()


async def error_of(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(text: str = "Yes", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": f"a-{text}", "text": {"type": "plain_text", "text": text}, "value": "v", **more}


class TestWebApi:
    async def test_who_we_are(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        assert (await client.auth_test())["user_id"] == slack.workspace.bot.id
        client.token = "xoxb-wrong"
        assert await error_of(client.auth_test()) == "invalid_auth"
        assert await error_of(client.api_call("no.method")) == "invalid_auth"
        client.token = slack.bot_token
        assert await error_of(client.api_call("no.method")) == "unknown_method"
        slack.workspace.token = None
        assert await error_of(client.auth_test()) == "account_inactive"

    async def test_a_message_is_read_without_markup(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        dm = await slack.user("Ann").dm()
        posted = await client.chat_postMessage(
            channel=dm.place.id, text="*Bold* and _italic_, <https://a.example|a page> &amp; 3 * 4, snake_case_name `a < b` :+1:"
        )
        assert posted["ts"] == dm.messages[0].ts
        assert dm.replies[0].text == "Bold and italic, a page & 3 * 4, snake_case_name a < b 👍"
        await client.chat_update(channel=dm.place.id, ts=posted["ts"], text="changed")
        assert [message.text for message in dm.messages] == ["changed"]
        assert dm.messages[0].edited
        await client.chat_delete(channel=dm.place.id, ts=posted["ts"])
        assert dm.messages == []

    async def test_blocks_are_what_is_seen(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        dm = await slack.user("Ann").dm()
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": "Hours"}},
            section("We are *open*", fields=[{"type": "mrkdwn", "text": "a"}]),
            {"type": "markdown", "text": "**bold** [link](https://a.example)\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |"},
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_list",
                        "style": "ordered",
                        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a*b*"}]}],
                    }
                ],
            },
            {"type": "actions", "elements": [button("Yes"), button("No")]},
        ]
        await client.chat_postMessage(channel=dm.place.id, text="unseen", blocks=blocks)
        assert dm.replies[0].text == "Hours\nWe are open\na\nbold link\n• one\n• two\na | b\n1 | 2\n1. a*b*"
        assert dm.replies[0].buttons == ["Yes", "No"]

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({}, "no_text"),
            ({"text": "x" * 40_001}, "msg_too_long"),
            ({"text": "x", "channel": "C404"}, "channel_not_found"),
            ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
            ({"blocks": [section("")]}, "invalid_blocks"),
            ({"blocks": [section("x")] * 51}, "invalid_blocks"),
            ({"blocks": [{"type": "heading"}]}, "invalid_blocks"),
            ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
            ({"blocks": [{"type": "actions", "elements": [button("x" * 76)]}]}, "invalid_blocks"),
            ({"blocks": [{"type": "actions", "elements": [button(value="v" * 2001)]}]}, "invalid_blocks"),
            ({"blocks": [{"type": "actions", "elements": [button(), button()]}]}, "invalid_blocks"),
            ({"blocks": [section("x", block_id="1"), section("y", block_id="1")]}, "invalid_blocks"),
            ({"blocks": [{"type": "markdown", "text": "x" * 12_001}]}, "invalid_blocks"),
            ({"blocks": [section("x" * 2900)] * 5}, "msg_blocks_too_long"),
            ({"blocks": "[{"}, "invalid_blocks_format"),
        ],
    )
    async def test_what_slack_refuses(
        self, slack: FakeSlack, client: AsyncWebClient, arguments: dict[str, Any], error: str
    ) -> None:
        dm = await slack.user("Ann").dm()
        assert await error_of(client.api_call("chat.postMessage", json={"channel": dm.place.id, **arguments})) == error
        assert dm.messages == []

    async def test_a_changed_text_is_shorter(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        dm = await slack.user("Ann").dm()
        ts = (await client.chat_postMessage(channel=dm.place.id, text="x"))["ts"]
        assert await error_of(client.chat_update(channel=dm.place.id, ts=ts, text="ü" * 2001)) == "msg_too_long"
        written = await dm.write("mine")
        assert await error_of(client.chat_update(channel=dm.place.id, ts=written.ts, text="x")) == "cant_update_message"
        assert await error_of(client.chat_update(channel=dm.place.id, ts="1.0", text="x")) == "message_not_found"

    async def test_only_members_are_written_to(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        ann, bob = slack.user("Ann"), slack.user("Bob")
        general = slack.channel("general", ann, bot=False)
        assert await error_of(client.chat_postMessage(channel=general.id, text="x")) == "not_in_channel"
        await client.conversations_join(channel=general.id)
        await client.chat_postMessage(channel=general.id, text="x")
        await client.chat_postEphemeral(channel=general.id, user=ann.id, text="only you")
        assert await error_of(client.chat_postEphemeral(channel=general.id, user=bob.id, text="x")) == "user_not_in_channel"
        general.members.append(bob.id)
        assert [message.text for message in ann.at(general).messages] == ["x", "only you"]
        assert [message.text for message in bob.at(general).messages] == ["x"]
        assert set((await client.conversations_members(channel=general.id))["members"]) >= {ann.id, bob.id}

    async def test_a_thread_is_read_back(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        ann = slack.user("Ann")
        general = slack.channel("general", ann)
        root = await ann.at(general).write("root")
        metadata = {"event_type": "reply", "event_payload": {"id": "1"}}
        await client.chat_postMessage(channel=general.id, text="answer", thread_ts=root.ts, metadata=metadata)
        replies = await client.conversations_replies(channel=general.id, ts=root.ts, include_all_metadata=True)
        assert [message["text"] for message in replies["messages"]] == ["root", "answer"]
        assert replies["messages"][1]["metadata"] == metadata
        history = await client.conversations_history(channel=general.id)
        assert [message["text"] for message in history["messages"]] == ["root"]
        assert [message.text for message in ann.at(general).thread(root)] == ["root", "answer"]

    async def test_people_and_places(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        ann = slack.user("Ann Archer", email="ann@example.org", guest=True)
        user = (await client.users_info(user=ann.id))["user"]
        assert (user["real_name"], user["is_restricted"], user["profile"]["email"]) == ("Ann Archer", True, "ann@example.org")
        assert await error_of(client.users_info(user="U404")) == "user_not_found"
        opened = await client.conversations_open(users=[ann.id])
        assert opened["channel"]["id"] == (await ann.dm()).place.id
        await client.chat_postMessage(channel=ann.id, text="by the person's id")
        assert (await ann.dm()).replies[0].text == "by the person's id"

    async def test_files_go_both_ways(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        dm = await slack.user("Ann").dm()
        data = bytes(range(256)) * 40
        await client.files_upload_v2(filename="a.bin", content=data, channel=dm.place.id, initial_comment="*Here*")
        assert dm.replies[0].files == {"a.bin": data}
        assert dm.replies[0].text == "Here"
        await dm.write("look", files={"ü.png": data})
        file = next(iter(slack.workspace.files[id] for id in list(slack.workspace.files)[1:]))
        url = (await client.files_info(file=file.id))["file"]["url_private_download"]
        async with aiohttp.ClientSession() as session:
            async with session.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"}) as response:
                assert await response.read() == data
            async with session.get(url) as response:
                assert (response.status, response.content_type) == (200, "text/html")
        assert slack.downloads == [(file.id, slack.bot_token), (file.id, None)]

    async def test_views(self, slack: FakeSlack, client: AsyncWebClient, app: Receiver) -> None:
        ann = slack.user("Ann")
        await client.views_publish(user_id=ann.id, view={"type": "home", "blocks": [section("*Welcome*")]})
        assert ann.home is not None
        assert ann.home.text == "Welcome"
        await ann.shortcut("help")
        trigger = app.told[-1]["trigger_id"]
        label = {"type": "plain_text", "text": "What"}
        field = {"type": "input", "label": label, "element": {"type": "plain_text_input", "action_id": "words"}}
        view = {"type": "modal", "title": label, "blocks": [field]}
        await client.views_open(trigger_id=trigger, view=view)
        assert await error_of(client.views_open(trigger_id=trigger, view=view)) == "invalid_trigger_id"
        await ann.submit({"words": "broken"})
        assert ann.modal is None
        (values,) = app.told[-1]["view"]["state"]["values"].values()
        assert values["words"]["value"] == "broken"

    async def test_reactions_and_status(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        dm = await slack.user("Ann").dm()
        written = await dm.write("hi")
        await client.reactions_add(channel=dm.place.id, timestamp=written.ts, name="eyes")
        assert written.reactions == ["eyes"]
        again = client.reactions_add(channel=dm.place.id, timestamp=written.ts, name="eyes")
        assert await error_of(again) == "already_reacted"
        await client.assistant_threads_setStatus(channel_id=dm.place.id, thread_ts=written.ts, status="is thinking...")
        assert dm.status == "is thinking..."
        await client.chat_postMessage(channel=dm.place.id, thread_ts=written.ts, text="done")
        assert dm.status == ""

    async def test_faults(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        dm = await slack.user("Ann").dm()
        slack.fail("chat.*", status=429, retry_after=7)
        slack.fail("chat.postMessage", error="restricted_action")
        slack.fail("chat.postMessage", drop=True)
        slack.fail("chat.postMessage", lost=True)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=dm.place.id, text="1")
        assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
        assert await error_of(client.chat_postMessage(channel=dm.place.id, text="2")) == "restricted_action"
        client.retry_handlers.clear()
        for text in ("3", "4"):
            with pytest.raises(aiohttp.ClientError):
                await client.chat_postMessage(channel=dm.place.id, text=text)
        await client.chat_postMessage(channel=dm.place.id, text="5")
        assert [message.text for message in dm.messages] == ["4", "5"]


class TestEvents:
    async def test_the_address_is_verified(self, slack: FakeSlack, app: Receiver) -> None:
        assert await slack.verify_url()

    async def test_a_message_is_told_once_it_is_acknowledged(self, slack: FakeSlack, app: Receiver) -> None:
        dm = await slack.user("Ann").dm()
        app.answers = [500, 503]
        written = await dm.write("a < b 😀")
        await written.deliveries[0].ended.wait()
        assert written.deliveries[0].acknowledged
        assert [headers.get("X-Slack-Retry-Num") for headers in app.headers] == [None, "1", "2"]
        assert app.headers[1]["X-Slack-Retry-Reason"] == "http_error"
        assert len({payload["event_id"] for payload in app.told}) == 1
        event = app.events[0]
        assert event["text"] == "a &lt; b :grinning:"
        assert event["blocks"][0]["elements"][0]["elements"] == [
            {"type": "text", "text": "a < b "},
            {"type": "emoji", "name": "grinning", "unicode": "1f600"},
        ]
        assert (event["channel_type"], event["channel"]) == ("im", dm.place.id)

    async def test_it_gives_up(self, slack: FakeSlack, app: Receiver) -> None:
        dm = await slack.user("Ann").dm()
        app.answers = [500] * 4
        written = await dm.write("hi")
        await written.deliveries[0].ended.wait()
        assert (len(app.told), written.deliveries[0].acknowledged) == (4, False)

    async def test_a_late_answer_is_no_answer(self, slack: FakeSlack, app: Receiver) -> None:
        dm = await slack.user("Ann").dm()
        app.sleep = 0.8
        written = await dm.write("hi")
        await written.deliveries[0].ended.wait()
        assert app.headers[1]["X-Slack-Retry-Reason"] == "http_timeout"

    async def test_a_mention_in_a_channel_is_told_twice(self, slack: FakeSlack, app: Receiver) -> None:
        ann = slack.user("Ann")
        general = slack.channel("general", ann)
        written = await ann.at(general).write(f"<@{slack.workspace.bot.id}> help")
        assert [event["type"] for event in app.events] == ["app_mention", "message"]
        assert {event["ts"] for event in app.events} == {written.ts}
        elsewhere = slack.channel("elsewhere", ann, bot=False)
        assert (await ann.at(elsewhere).write("unheard")).deliveries == []

    async def test_what_happens_to_messages(self, slack: FakeSlack, app: Receiver, client: AsyncWebClient) -> None:
        ann = slack.user("Ann")
        general = slack.channel("general", ann)
        written = await ann.at(general).write("one")
        await written.edit("two")
        await written.unfurl()
        await written.react("👍")
        await written.unreact("👍")
        reply = await ann.at(general).write("again", thread=written, broadcast=True)
        await reply.delete()
        await client.chat_postMessage(channel=general.id, text="mine")
        await slack.courier.deliveries[-1].tried.wait()
        kinds = [event.get("subtype") or event["type"] for event in app.events]
        assert kinds == [
            "message",
            "message_changed",
            "message_changed",
            "reaction_added",
            "reaction_removed",
            "thread_broadcast",
            "message_deleted",
            "message",
        ]
        edit, unfurl = app.events[1:3]
        assert (edit["previous_message"]["text"], edit["message"]["text"]) == ("one", "two")
        assert (unfurl["previous_message"]["text"], unfurl["message"]["text"]) == ("two", "two")
        assert app.events[3]["reaction"] == "+1"
        assert app.events[-1]["bot_id"] == slack.workspace.bot_id

    async def test_buttons_menus_and_commands(self, slack: FakeSlack, app: Receiver, client: AsyncWebClient) -> None:
        ann = slack.user("Ann")
        dm = await ann.dm()
        options = [{"text": {"type": "plain_text", "text": name}, "value": name.lower()} for name in ("Red", "Blue")]
        menu = {"type": "static_select", "action_id": "colour", "options": options}
        blocks = [{"type": "actions", "elements": [button("Yes", value="yes"), menu]}]
        await client.chat_postMessage(channel=dm.place.id, text="x", blocks=blocks)
        await dm.press("Yes")
        assert app.told[-1]["actions"][0]["value"] == "yes"
        await dm.press("Blue")
        assert app.told[-1]["actions"][0]["selected_option"]["value"] == "blue"
        with pytest.raises(LookupError):
            await dm.press("Green")
        app.body = {"text": "Here is help."}
        await ann.command("/help", "me", at=dm)
        assert (app.told[-1]["command"], app.told[-1]["text"]) == ("/help", "me")
        assert (dm.replies[-1].text, dm.replies[-1].only_you) == ("Here is help.", True)
        async with aiohttp.ClientSession() as session:
            await session.post(app.told[-1]["response_url"], json={"text": "to all", "response_type": "in_channel"})
        assert dm.replies[-1].text == "to all"


class TestSocketMode:
    @pytest.fixture
    async def slack(self) -> AsyncIterator[FakeSlack]:
        async with FakeSlack(socket_mode=True, retries=(0.0, 0.2, 0.2, 0.2), seconds=0.5) as slack:
            yield slack

    @pytest.fixture
    async def told(self, slack: FakeSlack, client: AsyncWebClient) -> AsyncIterator[list[SocketModeRequest]]:
        told: list[SocketModeRequest] = []
        socket = SocketModeClient(slack.app_token, web_client=client, ping_interval=0.2)

        async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            told.append(request)
            if "ignore" not in json.dumps(request.payload) or request.retry_attempt:
                await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, {"text": "answer"}))

        socket.socket_mode_request_listeners.append(take)
        await socket.connect()
        await slack.sockets.connected()
        yield told
        await socket.close()

    async def test_envelopes_are_acknowledged(self, slack: FakeSlack, told: list[SocketModeRequest]) -> None:
        ann = slack.user("Ann")
        dm = await ann.dm()
        written = await dm.write("hi")
        assert written.deliveries[0].acknowledged
        assert (told[0].type, told[0].payload["event"]["text"], told[0].retry_attempt) == ("events_api", "hi", 0)
        await ann.command("/help", at=dm)
        assert (told[1].type, dm.replies[-1].text) == ("slash_commands", "answer")

    async def test_what_is_not_acknowledged_comes_again(self, slack: FakeSlack, told: list[SocketModeRequest]) -> None:
        written = await (await slack.user("Ann").dm()).write("ignore this")
        await written.deliveries[0].ended.wait()
        assert written.deliveries[0].acknowledged
        assert [(request.retry_attempt, request.retry_reason) for request in told] == [(0, ""), (1, "http_timeout")]
        assert told[0].envelope_id != told[1].envelope_id

    async def test_connections_are_renewed(self, slack: FakeSlack, told: list[SocketModeRequest]) -> None:
        dm = await slack.user("Ann").dm()
        await slack.sockets.disconnect()
        await slack.sockets.connected(1, opened=2)
        await dm.write("one")
        slack.sockets.drop()
        written = await dm.write("two")
        await slack.sockets.connected(1, opened=3)
        await written.deliveries[0].ended.wait()
        assert [request.payload["event"]["text"] for request in told] == ["one", "two"]

    async def test_a_wrong_token_opens_nothing(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        assert await error_of(client.apps_connections_open(app_token="xapp-wrong")) == "invalid_auth"
        assert await error_of(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(f"{slack.url}/link?ticket=wrong")


class TestInstallation:
    async def test_a_code_becomes_a_token_once(self, slack: FakeSlack) -> None:
        other = slack.add_workspace("Other")
        bob = slack.user("Bob", workspace=other)
        redirected: list[dict[str, str]] = []

        async def begin(_: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(
                f"{slack.url}/oauth/v2/authorize?client_id={slack.client_id}&state=s1&redirect_uri={address}/back"
            )

        async def back(request: web.Request) -> web.StreamResponse:
            redirected.append(dict(request.query))
            return web.Response(text="thanks")

        http = web.Application()
        http.router.add_get("/install", begin)
        http.router.add_get("/back", back)
        runner = web.AppRunner(http)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert await slack.install(f"{address}/install", bob) == (200, "thanks")
        await slack.install(f"{address}/install", bob, allow=False)
        await runner.cleanup()
        assert redirected[0]["state"] == "s1"
        assert redirected[1]["error"] == "access_denied"
        client = AsyncWebClient(base_url=slack.api_url)
        access = {"client_id": slack.client_id, "client_secret": slack.client_secret, "code": redirected[0]["code"]}
        installed = await client.oauth_v2_access(**access)
        assert installed["team"]["id"] == other.id
        assert (await AsyncWebClient(installed["access_token"], base_url=slack.api_url).auth_test())["team_id"] == other.id
        assert await error_of(client.oauth_v2_access(**access)) == "invalid_code"

    async def test_places_of_one_workspace_are_nobody_elses(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        other = slack.add_workspace("Other", installed=True)
        place: Place = slack.channel("theirs", slack.user("Bob", workspace=other))
        assert await error_of(client.chat_postMessage(channel=place.id, text="x")) == "channel_not_found"
