"""Every update and message that Telegram documents, each with what comes of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram import Message as TelegramMessage
from telegram import TelegramObject, Update
from telegram.constants import MessageType

from frontdesk.core.messages import AudioPart, ChoicePart, FilePart, ImagePart, LocationPart, Message, ReactionPart, TextPart
from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import FakeTelegram

from .platform import PAYLOADS, Bot, Hook

SKIPPED: tuple[str, ...] = ()

SERVICE = {
    f"message.{name}": SKIPPED
    for name in (
        "boost_added",
        "channel_chat_created",
        "chat_background_set",
        "chat_owner_changed",
        "chat_owner_left",
        "chat_shared",
        "checklist_tasks_added",
        "checklist_tasks_done",
        "connected_website",
        "delete_chat_photo",
        "direct_message_price_changed",
        "forum_topic_closed",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "gift_upgrade_sent",
        "giveaway_completed",
        "giveaway_created",
        "giveaway_winners",
        "group_chat_created",
        "left_chat_member",
        "managed_bot_created",
        "message_auto_delete_timer_changed",
        "migrate_from_chat_id",
        "migrate_to_chat_id",
        "new_chat_members",
        "new_chat_photo",
        "new_chat_title",
        "paid_message_price_changed",
        "pinned_message",
        "poll_option_added",
        "poll_option_deleted",
        "proximity_alert_triggered",
        "refunded_payment",
        "successful_payment",
        "suggested_post_approval_failed",
        "suggested_post_approved",
        "suggested_post_declined",
        "suggested_post_paid",
        "suggested_post_refunded",
        "supergroup_chat_created",
        "users_shared",
        "video_chat_ended",
        "video_chat_participants_invited",
        "video_chat_scheduled",
        "video_chat_started",
        "web_app_data",
        "write_access_allowed",
    )
}

EXPECTED: dict[str, tuple[str, ...]] = {
    **SERVICE,
    # What people write. Each message that is accepted is written as its kind and its parts.
    "message.text": ("new: Where is my order 2041?",),
    "message.text-with-entities": (
        (
            "new: See https://shop.example and *this*: **bold** `code` ann@mail.example #tag $EUR +4915112345678 @olga_shop 😀 "
            "[link](<https://shop.example/a_(b)>)"
        ),
    ),
    "message.text-right-to-left": ("new: שלום, איפה ההזמנה שלי?",),
    "message.text-reply": ("new: Yes, that one",),
    "message.text-quote": ("new: > at the depot\n\nWhat does this mean?",),
    "message.text-external-reply": ("new: Is this offer still valid?",),
    "message.text-reply-to-checklist-task": ("new: Is this one done?",),
    "message.text-reply-to-poll-option": ("new: This one!",),
    "message.reply_to_story": ("new: Nice!",),
    "message.text-effect": ("new: Thank you!",),
    "message.text-paid": ("new: Worth a star",),
    "message.text-protected": ("new: Keep this to yourself",),
    "message.text-edited-before-arrival": ("new: Where is my order?",),
    "message.text-forwarded": ("new: > Your parcel has left.",),
    "message.text-forwarded-channel": ("new: > Sale!",),
    "message.text-forwarded-chat": ("new: > Opening hours: 9 to 5",),
    "message.text-forwarded-hidden-user": ("new: > Your parcel has left.",),
    "message.text-forwarded-with-buttons": ("new: > Which colour?",),
    "message.command": ("new: /start order-2041",),
    "message.photo": ("new: The *handle* is broken + image photo.jpg",),
    "message.photo-without-caption": ("new: image photo.jpg",),
    "message.photo-album-1": ("new: From all sides + image photo.jpg",),
    "message.photo-album-2": ("new: image photo.jpg",),
    "message.live_photo": ("new: image photo.jpg",),
    "message.document": ("new: My invoice + file invoice 2041.pdf",),
    "message.document-without-name": ("new: file file",),
    "message.document-odd-name": ("new: file x.pdf",),
    "message.document-image": ("new: image IMG_0412.HEIC",),
    "message.document-audio": ("new: audio call.amr",),
    "message.voice": ("new: audio voice.ogg",),
    "message.audio": ("new: audio 01 - Song.mp3",),
    "message.video": ("new: It makes this noise + file VID_1.mp4",),
    "message.video-too-large": ("new: file video.mp4",),
    "message.video_note": ("new: audio video-note.mp4",),
    "message.animation": ("new: file cat.mp4",),
    "message.location": ("new: location 52.520008 13.404954",),
    "message.location-live": ("new: location 52.520008 13.404954",),
    "message.venue": ("new: location 52.5163 13.3777 Brandenburg Gate, Pariser Platz",),
    "message.contact": ("new: Ann Larsen, 4915112345678",),
    "message.contact-somebody-else": ("new: Reception, +49 30 1234567",),
    "message.sticker": ("new: 🙏",),
    "message.sticker-without-emoji": ("new: [sticker]",),
    "message.dice": ("new: 🎲 6",),
    "message.poll": ("new: Which colour?\n- Red\n- Blue",),
    "message.checklist": ("new: For the move\n- Boxes\n- Van",),
    "message.story": ("new: [story]",),
    "message.game": ("new: [game]",),
    "message.gift": ("new: [gift]",),
    "message.unique_gift": ("new: [unique gift]",),
    "message.giveaway": ("new: [giveaway]",),
    "message.paid_media": ("new: [paid media]",),
    "message.passport_data": ("new: [passport data]",),
    "message.direct-messages-topic": ("new: Hello, is this the shop?",),
    "message.direct-messages-suggested-post": ("new: Post this please",),
    # In groups, only what is meant for the bot.
    "message.group-mention": ("new: when do you open?",),
    "message.group-text-mention": ("new: when do you open?",),
    "message.group-command": ("new: /help@shop_bot",),
    "message.group-reply": ("new: and on Sunday?",),
    "message.group-anonymous-admin": ("new: hours?",),
    "message.group-as-channel": ("new: hours?",),
    "message.group-sender-boost": ("new: hi",),
    "message.topic-mention": ("new: my order?",),
    "message.group-not-addressed": SKIPPED,
    "message.group-command-other-bot": SKIPPED,
    "message.group-other-bot": SKIPPED,
    "message.group-automatic-forward": SKIPPED,
    # Nobody's words, or a machine's.
    "message.own-echo": SKIPPED,
    "message.text-via-bot": SKIPPED,
    "message.text-from-offline": SKIPPED,
    "message.invoice": SKIPPED,
    "message.without-from": SKIPPED,
    "message.without-content": SKIPPED,
    # Changes.
    "edited_message": ("edited: Where is my order 2042?",),
    "edited_message.caption": ("edited: The lid is broken + image photo.jpg",),
    "edited_message.group-mention": SKIPPED,  # of a message that the bot was not told of
    "edited_message.live-location": SKIPPED,
    "message_reaction": ("reaction: 👍",),
    "message_reaction.removed": ("reaction: not 👍",),
    "message_reaction.custom-emoji": ("reaction: not 👍 + 5445284980978621387 + paid",),
    "message_reaction.anonymous": SKIPPED,
    # A button of a question that is not known is what is written on it.
    "callback_query": ("new: Light blue",),
    "callback_query.inaccessible-message": SKIPPED,
    "callback_query.inline-message": SKIPPED,
    "callback_query.game": SKIPPED,
    # Business accounts.
    "business_connection": SKIPPED,
    "business_message": ("new: Hello Olga, is the lamp in stock?",),
    "business_message.owner": SKIPPED,
    "business_message.own-echo": SKIPPED,
    "business_message.away": SKIPPED,
    "edited_business_message": ("edited: Hello Olga, is the desk in stock?",),
    "deleted_business_messages": SKIPPED,  # of messages that the bot does not know
    # The bot's membership.
    "my_chat_member": SKIPPED,
    "my_chat_member.group": SKIPPED,
    # What a support bot does not ask for, should it come all the same.
    "channel_post": SKIPPED,
    "edited_channel_post": SKIPPED,
    "inline_query": SKIPPED,
    "chosen_inline_result": SKIPPED,
    "shipping_query": SKIPPED,
    "pre_checkout_query": SKIPPED,
    "poll": SKIPPED,
    "poll_answer": SKIPPED,
    "chat_member": SKIPPED,
    "chat_join_request": SKIPPED,
    "chat_boost": SKIPPED,
    "removed_chat_boost": SKIPPED,
    "message_reaction_count": SKIPPED,
    "purchased_paid_media": SKIPPED,
    "managed_bot": SKIPPED,
    "guest_message": SKIPPED,
    "guest_message.for-a-channel": SKIPPED,
    "unknown-update": SKIPPED,
}


def described(message: Message) -> str:
    words = []
    for part in message.parts:
        match part:
            case TextPart(text):
                words.append(text)
            case ImagePart() | AudioPart() | FilePart():
                assert part.attachment.remote
                words.append(f"{type(part).__name__.removesuffix('Part').lower()} {part.attachment.name}")
            case LocationPart():
                words.append(f"location {part.latitude} {part.longitude} {part.label or ''}".rstrip())
            case ReactionPart():
                words.append(("not " if part.removed else "") + part.emoji)
            case ChoicePart():
                words.append(f"choice {part.value}")
    return f"{message.kind}: {' + '.join(words)}" if words else message.kind


def test_every_payload_has_an_expectation() -> None:
    assert len(PAYLOADS) > 150
    assert PAYLOADS.keys() == EXPECTED.keys()


def test_every_type_of_update_and_of_message_has_a_payload() -> None:
    payloads = [json.loads(path.read_bytes()) for path in PAYLOADS.values()]
    updates = {key for payload in payloads for key in payload}
    assert {str(each) for each in Update.ALL_TYPES} <= updates
    assert len(Update.ALL_TYPES) >= 25
    fields = {key for payload in payloads for value in payload.values() if isinstance(value, dict) for key in value}
    known = {slot for slot in TelegramMessage.__slots__ if not slot.startswith("_")} - {"from_user"}
    assert known - fields == set()
    assert {str(each) for each in MessageType} <= fields


def test_payloads_are_as_telegram_documents_them() -> None:
    """The library knows every field of every payload but the one that is made up."""

    def unknown(value: Any) -> Iterator[str]:
        if isinstance(value, TelegramObject):
            yield from value.api_kwargs
            for name in {slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ()) if slot[0] != "_"}:
                if name != "api_kwargs":
                    yield from unknown(getattr(value, name, None))
        elif isinstance(value, list | tuple):
            for item in value:
                yield from unknown(item)

    found = {name: set(unknown(Update.de_json(json.loads(path.read_bytes()), None))) for name, path in PAYLOADS.items()}
    assert {name: fields for name, fields in found.items() if fields} == {"unknown-update": {"hologram_message"}}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PAYLOADS)
async def test_payloads(hook: Hook, name: str) -> None:
    with capture_logs() as logs:
        status = await hook.post(PAYLOADS[name].read_bytes())
    assert status == 200
    assert tuple(described(message) for message in hook.accepted) == EXPECTED[name]
    assert not [entry for entry in logs if entry["log_level"] in ("warning", "error", "critical")]
    for message in hook.accepted:
        assert message.id.startswith("telegram:123456789:")
        assert message.conversation.startswith("telegram:123456789:")


async def test_payloads_that_are_polled_are_acknowledged(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot(mode="polling"):
        for path in PAYLOADS.values():
            telegram.deliver(json.loads(path.read_bytes()))
        await telegram.delivered(30)
        ann = telegram.user("Ann")
        await ann.write("hello")
        await until(lambda: bool(ann.chat.replies))
