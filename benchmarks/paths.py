"""The ways of a message that are measured: what the platform posts and answers, and what serves it. One entry of `PATHS` each."""

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from benchmarks.rivals import slack_bolt

TELEGRAM_TOKEN = "123456789:AAbenchmark"
TELEGRAM_SECRET = "benchmark"
SLACK_TOKEN = "xoxb-1-benchmark"
SLACK_SECRET = "5f8b1c0f2d7a4e6b9c3d1e0f4a5b6c7d"


@dataclass(frozen=True, kw_only=True)
class MessagePath:
    """`update` is what the platform posts to `url` when a customer writes a number, with `headers` for the body. A call of ours
    is answered with `answer` of its first line and body; `reply` finds the customer and the number in it.

    `channel` gives the class and the settings for a platform at that address, and `call` what a bare handler posts for an update:
    the address and the JSON; `rival` is what the platform's own framework makes of the same. `budgets` are the least replies/s of
    the durable engine against that handler, by the platform's answer time in ms.
    """

    title: str
    url: str
    update: Callable[[int, int], bytes]
    headers: Callable[[bytes], bytes] = lambda body: b""
    answer: Callable[[bytes, bytes], bytes]
    reply: re.Pattern[bytes]
    channel: Callable[[str], tuple[Any, BaseModel]]
    call: Callable[[str, Any], tuple[str, Any]]
    budgets: Mapping[int, float]
    rival: Callable[[str], Awaitable[web.Application]] | None = None


def webhook_update(customer: int, number: int) -> bytes:
    return (
        b'{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ann"},'
        b'"chat":{"id":%d,"type":"private"},"date":1732384000,"text":"%d"}}' % (number, number, customer, customer, number)
    )


def webhook_channel(platform: str) -> tuple[Any, BaseModel]:
    from frontdesk.core.testing.webhook import WebhookChannel, WebhookSettings

    return WebhookChannel, WebhookSettings(platform=f"{platform}/sendMessage")


def webhook_call(platform: str, update: Any) -> tuple[str, Any]:
    message = update["message"]
    return f"{platform}/sendMessage", {"chat_id": message["chat"]["id"], "text": f"echo {message['text']}"}


def telegram_update(customer: int, number: int) -> bytes:
    """As Telegram sends them, with all that it says of a person and a private chat."""
    return (
        b'{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ann","last_name":"Example",'
        b'"username":"ann_example","language_code":"en"},"chat":{"id":%d,"first_name":"Ann","last_name":"Example",'
        b'"username":"ann_example","type":"private"},"date":1732384000,"text":"%d"}}'
        % (10_000_000 + number, number, customer, customer, number)
    )


def telegram_answer(line: bytes, body: bytes) -> bytes:
    if b"/sendMessage" in line:
        return (
            b'{"ok":true,"result":{"message_id":1000001,"from":{"id":123456789,"is_bot":true,"first_name":"Shop",'
            b'"username":"shop_bot"},"chat":{"id":1,"first_name":"Ann","last_name":"Example","username":"ann_example",'
            b'"type":"private"},"date":1732384001,"text":"echo"}}'
        )
    if b"/getMe" in line:
        return b'{"ok":true,"result":{"id":123456789,"is_bot":true,"first_name":"Shop","username":"shop_bot"}}'
    return b'{"ok":true,"result":true}'


def telegram_channel(platform: str) -> tuple[Any, BaseModel]:
    from frontdesk.channels.telegram import TelegramChannel, TelegramSettings

    settings = TelegramSettings.model_validate(
        {
            "token": TELEGRAM_TOKEN,
            "mode": "webhook",
            "webhook_url": "http://127.0.0.1/telegram/webhook",
            "secret": TELEGRAM_SECRET,
            "api_url": platform,
            "messages_per_second": 1e6,
            "chat_messages_per_second": 1e6,
        }
    )
    return TelegramChannel, settings


def telegram_call(platform: str, update: Any) -> tuple[str, Any]:
    message = update["message"]
    address = f"{platform}/bot{TELEGRAM_TOKEN}/sendMessage"
    return address, {"chat_id": message["chat"]["id"], "text": f"echo {message['text']}"}


def slack_update(customer: int, number: int) -> bytes:
    """A direct message as the Events API tells it, with the blocks that Slack's clients make of every text."""
    return (
        b'{"token":"verification","team_id":"T1","context_team_id":"T1","context_enterprise_id":null,"api_app_id":"A1","event":'
        b'{"user":"U%d","type":"message","ts":"1732384000.%06d","client_msg_id":"5b1d2b3a-1111-4222-8333-444455556666",'
        b'"text":"%d","team":"T1","blocks":[{"type":"rich_text","block_id":"b1","elements":[{"type":"rich_text_section",'
        b'"elements":[{"type":"text","text":"%d"}]}]}],"channel":"D%d","event_ts":"1732384000.%06d","channel_type":"im"},'
        b'"type":"event_callback","event_id":"Ev%d","event_time":1732384000,"authorizations":[{"enterprise_id":null,'
        b'"team_id":"T1","user_id":"UBOT","is_bot":true,"is_enterprise_install":false}],"is_ext_shared_channel":false,'
        b'"event_context":"4-context"}' % (customer, number, number, number, customer, number, number)
    )


def slack_headers(body: bytes) -> bytes:
    at = b"%d" % time.time()
    signature = hmac.new(SLACK_SECRET.encode(), b"v0:%s:%s" % (at, body), hashlib.sha256).hexdigest()
    return b"X-Slack-Request-Timestamp: %s\r\nX-Slack-Signature: v0=%s\r\n" % (at, signature.encode())


def slack_answer(line: bytes, body: bytes) -> bytes:
    if b"/chat.postMessage" in line:
        return (
            b'{"ok":true,"channel":"D1","ts":"1732384001.000100","message":{"user":"UBOT","type":"message",'
            b'"ts":"1732384001.000100","bot_id":"B1","app_id":"A1","text":"echo","team":"T1"}}'
        )
    return b'{"ok":true,"team":"Shop","user":"shop","team_id":"T1","user_id":"UBOT","bot_id":"B1"}'


def slack_channel(platform: str) -> tuple[Any, BaseModel]:
    from frontdesk.channels.slack import SlackChannel, SlackSettings

    settings = SlackSettings.model_validate(
        {
            "bot_token": SLACK_TOKEN,
            "signing_secret": SLACK_SECRET,
            "api_url": f"{platform}/api/",
            "messages_per_second": 1e6,
            "burst": 1_000_000,
            "workspace_messages_per_minute": 1e8,
        }
    )
    return SlackChannel, settings


def slack_call(platform: str, update: Any) -> tuple[str, Any]:
    event = update["event"]
    return f"{platform}/api/chat.postMessage", {"channel": event["channel"], "text": f"echo {event['text']}"}


PATHS = {
    "webhook": MessagePath(
        title="Webhook",
        url="/webhook",
        update=webhook_update,
        answer=lambda line, body: b'{"ok":true,"result":{"id":100001}}',
        reply=re.compile(rb'"chat_id": ?(\d+).*?"text": ?"echo (\d+)"'),
        channel=webhook_channel,
        call=webhook_call,
        budgets={0: 0.6, 50: 0.85},
    ),
    "telegram": MessagePath(
        title="Telegram",
        url="/telegram/webhook",
        update=telegram_update,
        headers=lambda body: b"X-Telegram-Bot-Api-Secret-Token: %s\r\n" % TELEGRAM_SECRET.encode(),
        answer=telegram_answer,
        reply=re.compile(rb'"chat_id": ?(\d+).*?"text": ?"echo (\d+)"'),
        channel=telegram_channel,
        call=telegram_call,
        budgets={0: 0.5, 50: 0.85},
    ),
    "slack": MessagePath(
        title="Slack",
        url="/slack/events",
        update=slack_update,
        headers=slack_headers,
        answer=slack_answer,
        reply=re.compile(rb'"channel": ?"D(\d+)".*?"text": ?"echo (\d+)"'),
        channel=slack_channel,
        call=slack_call,
        budgets={0: 0.5, 50: 0.7},
        rival=slack_bolt,
    ),
}
