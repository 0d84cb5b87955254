"""Events as messages: pure, and total over anything that Slack or somebody else could send."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.slack import parse
from frontdesk.channels.slack.incoming import Incoming, received
from frontdesk.channels.slack.parse import Place
from frontdesk.channels.slack.people import Person
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import AudioPart, ChoicePart, FilePart, ImagePart, ReactionPart, TextPart, encode

BOT, TS = "UBOT", "1732384000.000100"


def an_event(**fields: Any) -> Incoming:
    event = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "hi", "ts": TS} | fields
    event = {name: value for name, value in event.items() if value is not None}
    payload = {
        "type": "event_callback",
        "team_id": "T1",
        "event": event,
        "authorizations": [
            {"team_id": "T1", "enterprise_id": None, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
        ],
    }
    return received("event", payload, json.dumps(payload).encode())


def written(incoming: Incoming, **names: str) -> parse.Written | None:
    return parse.written(incoming, bot=BOT, names=names, who=Person("Ann", "ann@shop.example", "de"))


def the_message(**fields: Any) -> parse.Written:
    found = written(an_event(**fields))
    assert found is not None
    return found


def test_a_direct_message() -> None:
    found = the_message()
    message = found.message
    assert found.addressed
    assert (message.id, message.conversation, message.kind) == (f"slack:T1:D1:{TS}", "slack:T1:D1", "new")
    assert message.parts == (TextPart("hi"),)
    assert (message.contact.id, message.contact.name, message.contact.email) == ("T1:U1", "Ann", "ann@shop.example")
    assert message.contact.verified
    assert not message.public
    assert message.language == "de"
    assert message.at.timestamp() == pytest.approx(1732384000.0001)
    assert msgspec.json.decode(message.raw)["event"]["text"] == "hi"


def test_a_mention_begins_a_thread_and_is_the_same_as_the_message() -> None:
    mention = the_message(type="app_mention", channel="C1", channel_type=None, text=f"<@{BOT}> where is my order?")
    message = the_message(channel="C1", channel_type="channel", text=f"<@{BOT}> where is my order?")
    for found in (mention, message):
        assert found.addressed
        assert found.message.id == f"slack:T1:C1:{TS}"
        assert found.message.conversation == f"slack:T1:C1:{TS}"
        assert found.message.text == "where is my order?"
        assert found.message.public


@pytest.mark.parametrize("subtype", [None, "thread_broadcast"])
def test_a_reply_in_a_thread(subtype: str | None) -> None:
    found = the_message(channel="C1", channel_type="channel", thread_ts="1732380000.000000", subtype=subtype)
    assert not found.addressed
    assert found.message.conversation == "slack:T1:C1:1732380000.000000"
    assert found.message.reply_to == "slack:T1:C1:1732380000.000000"


def test_threads_in_direct_messages_are_conversations_of_their_own() -> None:
    assert the_message(thread_ts="1732380000.000000").message.conversation == "slack:T1:D1:1732380000.000000"
    assert the_message(thread_ts=TS).message.conversation == "slack:T1:D1"


def test_a_group_of_people_is_answered_where_the_bot_is_mentioned() -> None:
    assert not the_message(channel="G1", channel_type="mpim").addressed
    assert the_message(channel="G1", channel_type="mpim", text=f"and you, <@{BOT}>?").addressed


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"<@{BOT}>: hello", "hello"),
        (f"hello <@{BOT}>", "hello"),
        (f"ask <@{BOT}|frontdesk> or <@U2>", "ask @bot or @Bob"),
        (f"<@{BOT}>", "/help"),
        (f"<@{BOT}> <@{BOT}> /human", "/human"),
    ],
)
def test_the_mention_is_not_part_of_the_question(text: str, read: str) -> None:
    found = written(an_event(channel="C1", channel_type="channel", text=text), U2="Bob")
    assert found is not None
    assert found.message.text == read


def test_blocks_are_read_rather_than_the_text() -> None:
    elements = [
        {"type": "rich_text_section", "elements": [{"type": "user", "user_id": BOT}, {"type": "text", "text": " a & "}]},
        {"type": "rich_text_list", "style": "bullet", "elements": [{"type": "rich_text_section", "elements": []}]},
    ]
    found = the_message(text="ignored", blocks=[{"type": "rich_text", "elements": elements}])
    assert found.message.text == "a & \n\n-"


def test_shared_messages_are_quoted() -> None:
    shared = [{"is_share": True, "text": "the *order*\nis late"}, {"title": "a preview", "text": "of a link"}]
    assert the_message(attachments=shared, text="see").message.text == "see\n\n> the **order**\n> is late"


def a_file(**fields: Any) -> dict[str, Any]:
    return {
        "id": "F1",
        "name": "../../a.png",
        "mimetype": "image/png",
        "size": 12,
        "url_private_download": "https://files.slack.com/files-pri/T1-F1/download/a.png",
        **fields,
    }


def test_files() -> None:
    files = [
        a_file(),
        a_file(id="F2", name="v.mp4", mimetype="video/mp4", subtype="slack_audio", duration_ms=2500),
        a_file(id="F3", name="v.webm", mimetype="audio/webm"),
        a_file(id="F4", name="v.m4a", mimetype="audio/x-m4a"),
        a_file(id="F5", name="x.pdf", mimetype="application/pdf", mode="tombstone"),
        a_file(
            id="F6", name=None, title=None, mimetype=None, size="big", url_private_download=None, file_access="check_file_info"
        ),
        "nothing",
        {"name": "without an id"},
    ]
    image, clip, webm, m4a, gone, shared = the_message(subtype="file_share", files=files, text="").message.parts
    assert isinstance(image, ImagePart)
    assert image.attachment.name == "a.png"
    assert image.attachment.remote == "https://files.slack.com/files-pri/T1-F1/download/a.png"
    assert isinstance(clip, AudioPart)
    assert (clip.attachment.media_type, clip.seconds) == ("audio/mp4", 2.5)
    assert isinstance(webm, AudioPart)
    assert isinstance(m4a, AudioPart)
    assert (webm.attachment.media_type, m4a.attachment.media_type) == ("audio/webm", "audio/mp4")
    assert isinstance(gone, FilePart)
    assert gone.attachment.problem == "the file was deleted"
    assert isinstance(shared, FilePart)
    assert (shared.attachment.name, shared.attachment.size, shared.attachment.remote) == ("F6", 0, "F6")


@pytest.mark.parametrize(
    "fields",
    [
        {"user": BOT},
        {"user": "USLACKBOT"},
        {"user": None},
        {"bot_id": "B1"},
        {"app_id": "A1"},
        {"bot_profile": {"id": "B1"}},
        {"subtype": "bot_message", "bot_id": "B2", "user": None},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"subtype": "something_new"},
        {"text": ""},
        {"text": None, "files": []},
    ],
)
def test_what_no_person_has_written_is_skipped(fields: dict[str, Any]) -> None:
    assert written(an_event(**fields)) is None


@pytest.mark.parametrize(
    "fields", [{"ts": None}, {"ts": "x"}, {"ts": "9" * 30 + ".1"}, {"channel": None}, {"channel": "a:b"}, {"user": "U:1"}]
)
def test_what_is_no_message_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        written(an_event(**fields))


def a_change(new: dict[str, Any], old: dict[str, Any] | None = None, **fields: Any) -> Incoming:
    before = {"type": "message", "user": "U1", "text": "teh order", "ts": TS}
    return an_event(
        subtype="message_changed",
        user=None,
        text=None,
        ts="1732384009.000900",
        message=before | new,
        previous_message=before | (old or {}),
        **fields,
    )


def test_an_edit() -> None:
    found = written(a_change({"text": "the order", "edited": {"user": "U1", "ts": "1732384009.000000"}}))
    assert found is not None
    message = found.message
    assert (message.kind, message.target) == ("edited", f"slack:T1:D1:{TS}")
    assert message.id == f"slack:T1:D1:{TS}:edited:1732384009.000000"
    assert message.text == "the order"
    assert message.contact.id == "T1:U1"


def test_a_second_edit_is_another_message() -> None:
    first = {"edited": {"ts": "1732384009.000000"}}
    found = written(a_change({"text": "the orders", "edited": {"ts": "1732384019.000000"}}, first))
    assert found is not None
    assert found.message.id.endswith("1732384019.000000")


@pytest.mark.parametrize(
    "new",
    [
        {"attachments": [{"title": "a preview of a link"}]},
        {"reply_count": 1, "thread_ts": TS},
        {"edited": {"ts": "1732384009.000000"}, "bot_id": "B1"},
        {"edited": {"ts": "1732384009.000000"}, "user": BOT},
        {"subtype": "assistant_app_thread", "edited": {"ts": "1732384009.000000"}},
    ],
)
def test_changes_that_are_no_edits_are_skipped(new: dict[str, Any]) -> None:
    assert written(a_change(new)) is None


def test_the_same_edit_twice_is_skipped() -> None:
    edited = {"edited": {"ts": "1732384009.000000"}}
    assert written(a_change({**edited, "attachments": [{}]}, edited)) is None


def test_a_deletion() -> None:
    previous = {"type": "message", "user": "U1", "text": "x", "ts": TS, "thread_ts": "1732380000.000000"}
    incoming = an_event(subtype="message_deleted", user=None, text=None, deleted_ts=TS, previous_message=previous, channel="C1")
    found = written(incoming)
    assert found is not None
    assert (found.message.kind, found.message.target, found.message.parts) == ("deleted", f"slack:T1:C1:{TS}", ())
    assert found.message.conversation == "slack:T1:C1:1732380000.000000"
    assert written(an_event(subtype="message_deleted", deleted_ts=TS, previous_message={**previous, "bot_id": "B1"})) is None
    assert written(an_event(subtype="message_deleted", deleted_ts=TS)) is None


def test_the_first_message_of_a_thread_leaves_a_stone() -> None:
    found = written(a_change({"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}))
    assert found is not None
    assert (found.message.kind, found.message.target) == ("deleted", f"slack:T1:D1:{TS}")


def test_reactions() -> None:
    fields = {"item": {"type": "message", "channel": "D1", "ts": TS}, "reaction": "+1", "event_ts": "1732384001.000000"}
    incoming = an_event(type="reaction_removed", text=None, ts=None, channel=None, **fields)
    message = parse.reaction(incoming, "slack:T1:D1", None)
    assert (message.kind, message.target, message.parts) == ("reaction", f"slack:T1:D1:{TS}", (ReactionPart("+1", removed=True),))


def test_a_pressed_button() -> None:
    payload = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "message": {"ts": TS, "thread_ts": "1732380000.000000"},
    }
    incoming = received("interaction", payload, b"{}")
    action = {
        "type": "button",
        "action_id": "frontdesk:choice:0",
        "block_id": "r",
        "value": '{"v":"red","q":"q1"}',
        "text": {"type": "plain_text", "text": "Red"},
    }
    press = parse.pressed(incoming, action)
    assert (press.value, press.question, press.label, press.block) == ("red", "q1", "Red", "r")
    message = parse.choice(incoming, press, ChoicePart("red", question="q1", label="Red"), None)
    assert message.conversation == "slack:T1:C1:1732380000.000000"
    assert message.id == f"slack:T1:C1:{TS}:U1:frontdesk:choice:0"
    option = {"value": '{"n":7}', "text": {"type": "plain_text", "text": "Seven"}}
    assert parse.pressed(incoming, {"type": "static_select", "selected_option": option}).index == 7
    with pytest.raises(InvalidInput):
        parse.pressed(incoming, {"type": "button", "value": "somebody else's"})


def test_which_installation_it_is_about() -> None:
    def account(**payload: Any) -> str:
        return received("event", {"type": "event_callback", "event": {}, **payload}, b"").account

    installed = {"team_id": "T1", "enterprise_id": "E1", "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
    assert account(team_id="T2", authorizations=[installed]) == "T1"
    assert account(team_id="T2", authorizations=[{**installed, "is_enterprise_install": True}]) == "E1"
    assert account(team={"id": "T3", "domain": "x"}) == "T3"
    assert account(user={"id": "U1", "team_id": "T4"}) == "T4"
    assert account(enterprise={"id": "E2"}, is_enterprise_install="true", team_id="T5") == "E2"
    for payload in ({}, {"team_id": 5}, {"team_id": "T:1"}, {"authorizations": "x"}):
        with pytest.raises(InvalidInput):
            account(**payload)


def test_places_say_where_an_answer_goes() -> None:
    for place in (Place("T1", "D1"), Place("T1", "C1", TS)):
        assert Place.of(place.conversation) == place


WORDS = st.sampled_from(
    [
        *[
            "type",
            "subtype",
            "channel",
            "user",
            "text",
            "ts",
            "thread_ts",
            "message",
            "previous_message",
            "edited",
            "files",
            "blocks",
        ],
        *[
            "deleted_ts",
            "item",
            "reaction",
            "event_ts",
            "bot_id",
            "attachments",
            "is_share",
            "user_profile",
            "id",
            "mimetype",
            "name",
        ],
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["message_changed", "message_deleted", "D1", "U1", TS, "file_share", "tombstone", "<@UBOT> x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)


@given(st.dictionaries(WORDS, VALUES, max_size=10))
def test_any_event_gives_a_message_or_is_refused(changes: dict[str, Any]) -> None:
    incoming = an_event(**changes)
    for parsed in (lambda: written(incoming), lambda: parse.reaction(incoming, "slack:T1:D1", None)):
        try:
            found = parsed()
        except InvalidInput:
            continue
        message = found.message if isinstance(found, parse.Written) else found
        if message is not None:
            assert message.id.startswith("slack:T1:")
            encode(msgspec.structs.replace(message, raw=msgspec.Raw(b"{}")))


def test_the_author_of_a_deleted_first_message_is_not_slackbot() -> None:
    tombstone = {"user": "USLACKBOT", "subtype": "tombstone", "ts": TS}
    assert parse.author({"message": tombstone, "previous_message": {"user": "U1", "ts": TS}}) == "U1"
    assert parse.author({"message": {"user": "U2"}}) == "U2"
