"""What Slack sends over HTTP: signed, fresh and well-formed, or refused."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.slack.webhooks import Signature, decoded, incoming
from frontdesk.core.errors import InvalidInput

SECRET, NOW = "8f742231b10e8888abcd99yyyzzz85a5", 1531420618
FORM = "application/x-www-form-urlencoded"


def signed(body: bytes, *, at: int = NOW, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), b"v0:%d:%s" % (at, body), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={signature}"}


@pytest.fixture
def signature() -> Signature:
    return Signature(SECRET, now=lambda: NOW)


def test_the_example_of_slacks_documentation(signature: Signature) -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10"
        b"d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    signature.check(headers, body)


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_what_is_fresh_passes(signature: Signature, age: int) -> None:
    signature.check(signed(b"{}", at=NOW - age), b"{}")


GOOD = signed(b"{}")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Slack-Signature": GOOD["X-Slack-Signature"]}, 401),
        ({"X-Slack-Request-Timestamp": str(NOW)}, 401),
        (signed(b"{ }"), 401),
        (signed(b"{}", secret="another"), 401),
        (GOOD | {"X-Slack-Signature": "v0="}, 401),
        (GOOD | {"X-Slack-Signature": "v0=é"}, 401),
        (GOOD | {"X-Slack-Signature": GOOD["X-Slack-Signature"].upper()}, 401),
        (GOOD | {"X-Slack-Request-Timestamp": "soon"}, 401),
        (GOOD | {"X-Slack-Request-Timestamp": "-1"}, 401),
        (GOOD | {"X-Slack-Request-Timestamp": "1e9"}, 401),
        (GOOD | {"X-Slack-Request-Timestamp": "١٢٣"}, 401),
        (GOOD | {"X-Slack-Request-Timestamp": "9" * 5000}, 401),
        (GOOD | {"X-Slack-Request-Timestamp": str(NOW + 1)}, 401),
        (signed(b"{}", at=NOW - 301), 403),
        (signed(b"{}", at=NOW + 301), 403),
        (signed(b"{}", at=0), 403),
    ],
)
def test_what_is_not_slacks_is_refused(signature: Signature, headers: dict[str, str], status: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        signature.check(headers, b"{}")
    assert refused.value.status == status


def test_a_body_that_is_no_text_is_refused(signature: Signature) -> None:
    signature.check(signed(b"\xff\xfe"), b"\xff\xfe")
    for content_type in ("application/json", FORM):
        with pytest.raises(InvalidInput):
            decoded(b"\xff\xfe", content_type)


def test_the_three_forms_of_a_payload() -> None:
    event = json.dumps({"type": "event_callback", "team_id": "T1", "event": {"type": "message", "channel": "C1", "user": "U1"}})
    press = json.dumps({"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "C1"}})
    command = {"command": "/frontdesk", "text": "hi & bye", "team_id": "T1", "user_id": "U1", "channel_id": "C1"}
    for body, kind, type, content_type in (
        (event.encode(), "event", "message", "application/json"),
        (urlencode({"payload": press}).encode(), "interaction", "block_actions", FORM),
        (urlencode(command).encode(), "command", "command", FORM),
    ):
        payload, raw = decoded(body, content_type)
        found = incoming(payload, raw)
        assert (found.kind, found.type, found.account, found.user, found.channel) == (kind, type, "T1", "U1", "C1")
        assert json.loads(raw) == payload


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b'"text"', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "application/json"),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"\xff=\xff", FORM),
        (b"&".join(b"a%d=1" % number for number in range(200)), FORM),
    ],
)
def test_what_is_no_payload_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInput):
        decoded(body, content_type)


def test_half_an_emoji_is_replaced() -> None:
    payload, raw = decoded(b'{"type":"event_callback","text":"a\\ud83d"}', "application/json")
    assert payload["text"] == "a?"
    assert json.loads(raw)["text"] == "a?"


@pytest.mark.parametrize("payload", [{}, {"type": "event_callback"}, {"type": "event_callback", "event": []}, {"type": 5}])
def test_what_is_nothing_of_slacks_is_refused(payload: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        incoming(payload, b"{}")


@given(st.binary(max_size=80), st.sampled_from([FORM, "application/json", "text/plain", ""]))
def test_any_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        payload, raw = decoded(body, content_type)
        incoming(payload, raw)
    except InvalidInput:
        pass
