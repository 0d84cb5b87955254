"""Every event, interaction and subtype that can reach the app, as Slack sends it: handled, or skipped with a line in the log."""

import asyncio
import copy
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from frontdesk.core.messages import AudioPart, ChoicePart, FilePart, ImagePart, ReactionPart

from .rig import DIRECT, GENERAL, PAYLOADS, Rig, a_rig, payload

ROOT = "1731421200.000100"
MENTIONED = f"{GENERAL}:{ROOT}"
QUIET = {
    "app_home_opened",
    "app_uninstalled",
    "block_actions_without_actions",
    "block_suggestion",
    "command_ssl_check",
    "tokens_revoked",
    "url_verification",
    "user_change",
}
"""Handled, without a message and without a line in the log."""

HANDLED: dict[str, tuple[str, str, str]] = {
    # payload: the message's kind, its conversation behind the workspace, its text
    "app_mention": ("new", MENTIONED, "where is my order?"),
    "app_mention_alone": ("new", MENTIONED, "/help"),
    "app_mention_in_thread": ("new", MENTIONED, "can you help?"),
    "block_actions_button": ("new", DIRECT, ""),
    "block_actions_home": ("new", DIRECT, "/human"),
    "block_actions_static_select": ("new", DIRECT, ""),
    "command": ("new", DIRECT, "where is my order?"),
    "command_in_channel": ("new", DIRECT, "where is my order?"),
    "command_unknown": ("new", DIRECT, "where is my order?"),
    "command_without_text": ("new", DIRECT, "/help"),
    "message": ("new", DIRECT, "where is my order?"),
    "message_action": ("new", DIRECT, "/human where is my order?"),
    "message_app_home": ("new", DIRECT, "from the messages tab"),
    "message_blocks_only": ("new", DIRECT, "only in blocks"),
    "message_changed": ("edited", DIRECT, "where is my order LL-1?"),
    "message_changed_tombstone": ("deleted", DIRECT, ""),
    "message_channels_with_mention": ("new", MENTIONED, "where is my order?"),
    "message_deleted": ("deleted", DIRECT, ""),
    "message_ext_shared": ("new", MENTIONED, "hello from a partner"),
    "message_file_share": ("new", DIRECT, "see the lamp"),
    "message_file_share_audio_clip": ("new", DIRECT, ""),
    "message_file_share_check_file_info": ("new", DIRECT, ""),
    "message_file_share_external": ("new", DIRECT, "a doc"),
    "message_file_share_tombstone": ("new", DIRECT, ""),
    "message_formatted": ("new", DIRECT, "**Hello** <b> [our page](https://shop.example) 👋"),
    "message_forwarded": ("new", DIRECT, "is this right?\n\n> Returns take 30 days"),
    "message_in_thread": ("new", f"{DIRECT}:{ROOT}", "and my refund?"),
    "message_me_message": ("new", DIRECT, "is waiting"),
    "message_mpim": ("new", f"G0MPIM123:{ROOT}", "help us"),
    "message_thread_broadcast": ("new", MENTIONED, "still waiting"),
    "message_without_blocks": ("new", DIRECT, "**Hello** & welcome"),
    "reaction_added": ("reaction", DIRECT, ""),
    "reaction_removed": ("reaction", DIRECT, ""),
    "shortcut": ("new", DIRECT, "/human"),
}
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))


@pytest.fixture
def debug_lines() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines  # type: ignore[misc]


def test_there_are_payloads() -> None:
    assert len(NAMES) > 200
    assert set(HANDLED) | QUIET <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_recorded_payload(name: str, tmp_path: Path, debug_lines: list[dict[str, Any]]) -> None:
    async with a_rig(tmp_path) as rig:
        status, _ = await rig.send(payload(name))
        skipped = [
            line for line in debug_lines if "skipped" in line["event"] or "removed" in line["event"] or "fewer" in line["event"]
        ]
        assert status == 200
        found = [(message.kind, message.conversation.split(":", 2)[2], message.text) for message in rig.accepted]
        assert found == ([HANDLED[name]] if name in HANDLED else [])
        assert found or name in QUIET or skipped, "what is skipped is logged"
        assert not [line for line in debug_lines if line["log_level"] in ("error", "critical")]


async def parts_of(name: str, folder: Path) -> tuple[Any, ...]:
    async with a_rig(folder) as rig:
        await rig.send(payload(name))
        return rig.accepted[0].parts


async def test_the_parts_of_messages(tmp_path: Path) -> None:
    (choice,) = await parts_of("block_actions_button", tmp_path / "1")
    assert choice == ChoicePart("blue", question="slack:message/0", label="Light blue")
    assert await parts_of("block_actions_static_select", tmp_path / "2") == (choice,)
    assert await parts_of("reaction_removed", tmp_path / "3") == (ReactionPart("+1", removed=True),)
    (clip,) = await parts_of("message_file_share_audio_clip", tmp_path / "4")
    assert isinstance(clip, AudioPart)
    assert (clip.attachment.media_type, clip.seconds) == ("audio/mp4", 4.32)
    _, image = await parts_of("message_file_share", tmp_path / "5")
    assert isinstance(image, ImagePart)
    assert (image.attachment.name, image.attachment.size) == ("broken lamp.png", 48213)
    (unseen,) = await parts_of("message_file_share_check_file_info", tmp_path / "6")
    assert isinstance(unseen, FilePart)
    assert unseen.attachment.remote == "F08CONNECT"
    (gone,) = await parts_of("message_file_share_tombstone", tmp_path / "7")
    assert gone.attachment.problem


async def test_who_writes(tmp_path: Path) -> None:
    async with a_rig(tmp_path) as rig:
        await rig.send(payload("message"))
        await rig.send(payload("message_ext_shared"))
    ann, partner = (message.contact for message in rig.accepted)
    assert (ann.id, ann.verified) == ("T0ACME123:U0ANN1234", True)
    assert (partner.id, partner.name) == ("T0ACME123:U0PARTNER", "pat")
    assert [message.public for message in rig.accepted] == [False, True]


async def test_a_mention_and_its_message_are_one(tmp_path: Path) -> None:
    async with a_rig(tmp_path) as rig:
        for name in ("app_mention", "message_channels_with_mention", "app_mention"):
            assert (await rig.send(payload(name)))[0] == 200
    assert len(rig.accepted) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ODD = st.sampled_from(
    ["", "\x00", "\ud800", "x" * 70_000, "1e999", "../..", "<@U0SHOPBOT>", "9" * 400, "USLACKBOT", 10**30, -1, [], {}, [[]], None]
).map(copy.deepcopy)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _paths(item, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded payload of which something is missing, or something else."""
    found = payload(draw(st.sampled_from(NAMES)))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(sorted(_paths(found), key=str)))
        holder: Any = found
        for key in path[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[path[-1]] = draw(JSON | ODD)
        elif isinstance(holder, dict):
            del holder[path[-1]]
        if not found:
            break
    return found


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[tuple[Rig, asyncio.AbstractEventLoop]]:
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(a_rig(tmp_path))), loop
    loop.run_until_complete(stack.aclose())
    loop.close()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(found=mutated())
def test_no_mutation_crashes(rig: tuple[Rig, asyncio.AbstractEventLoop], found: dict[str, Any]) -> None:
    """Each gets a status that says what is wrong with it; a crash would be 500."""
    slack, loop = rig
    text = json.dumps(found)
    path = "/slack/events" if "event" in found or found.get("type") == "url_verification" else "/slack/interactions"
    headers = {"Content-Type": "application/json"}
    with capture_logs() as lines:
        status, _ = loop.run_until_complete(slack.post(path, text.encode(), headers))
    assert status in (200, 400, 413)
    assert not [line for line in lines if line["log_level"] in ("error", "critical")]
