"""What is in a message: its words, files and places as the core knows them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from telegram import Message, MessageEntity, PhotoSize

from frontdesk.channels.telegram.api import seconds
from frontdesk.channels.telegram.entities import markdown
from frontdesk.core.attachments import safe_name
from frontdesk.core.messages import Attachment, AudioPart, FilePart, ImagePart, LocationPart, Part, TextPart

UNSHOWN = ("story", "game", "invoice", "paid_media", "giveaway", "gift", "unique_gift", "passport_data")
"""What people can send and bots cannot see, or cannot use: it is answered as words that nobody understands."""


def parts(message: Message, *, without: Iterable[MessageEntity] = ()) -> tuple[Part, ...]:
    """Empty for service messages. `without` names the mentions of the bot, which are no part of what is said."""
    found: list[Part] = []
    if message.text:
        found.append(TextPart(markdown(message.text, message.entities, without=without)))
    elif message.caption:
        found.append(TextPart(markdown(message.caption, message.caption_entities, without=without)))
    found += _place(message) or _file(message)
    if not found and (words := _words(message)):
        found.append(TextPart(words))
    if message.quote is not None and message.quote.is_manual:
        _put_before(found, message.quote.text)
    if found and message.forward_origin is not None:
        found = [TextPart(_quoted(part.text)) if isinstance(part, TextPart) else part for part in found]
    return tuple(part for part in found if not isinstance(part, TextPart) or part.text.strip())


def phone(message: Message) -> str | None:
    """The sender's own telephone number, if this message shares it: Telegram proves that it is."""
    contact, sender = message.contact, message.from_user
    if contact is None or sender is None or contact.user_id != sender.id or message.forward_origin is not None:
        return None
    number = contact.phone_number
    return number if number.startswith("+") else f"+{number}"


def _place(message: Message) -> list[Part]:
    if (venue := message.venue) is not None:
        label = ", ".join(words for words in (venue.title, venue.address) if words)
        return [LocationPart(venue.location.latitude, venue.location.longitude, label=label or None)]
    if (location := message.location) is not None:
        return [LocationPart(location.latitude, location.longitude)]
    return []


def _file(message: Message) -> list[Part]:
    if photo := _largest(message.photo or (message.live_photo.photo if message.live_photo else None) or ()):
        return [ImagePart(_attachment(photo, "photo.jpg", "image/jpeg"))]
    if (voice := message.voice) is not None:
        return [AudioPart(_attachment(voice, "voice.ogg", "audio/ogg"), seconds=_length(voice.duration))]
    if (audio := message.audio) is not None:
        return [AudioPart(_attachment(audio, f"{audio.title or 'audio'}.mp3", "audio/mpeg"), seconds=_length(audio.duration))]
    if (note := message.video_note) is not None:
        return [AudioPart(_attachment(note, "video-note.mp4", "video/mp4"), seconds=_length(note.duration))]
    if (video := message.video) is not None:
        return [FilePart(_attachment(video, "video.mp4", "video/mp4"))]
    if (animation := message.animation) is not None:
        return [FilePart(_attachment(animation, "animation.mp4", "video/mp4"))]
    if (document := message.document) is not None:
        attachment = _attachment(document, "file", "application/octet-stream")
        kind = attachment.media_type.partition("/")[0]
        return [{"image": ImagePart, "audio": AudioPart}.get(kind, FilePart)(attachment)]
    return []


def _attachment(file: object, name: str, media_type: str) -> Attachment:
    """The file stays with Telegram; names that customers give are made safe."""
    size = getattr(file, "file_size", None)
    return Attachment(
        id="",
        name=safe_name(str(getattr(file, "file_name", None) or name)),
        media_type=str(getattr(file, "mime_type", None) or media_type),
        size=size if isinstance(size, int) and size > 0 else 0,
        remote=str(getattr(file, "file_id")),  # noqa: B009 - every kind of file has one
    )


def _largest(sizes: Sequence[PhotoSize]) -> PhotoSize | None:
    return max(sizes, key=lambda size: size.width * size.height, default=None)


def _length(duration: float | timedelta | None) -> float | None:
    return None if duration is None else seconds(duration)


def _words(message: Message) -> str:
    """What has no part of its own, said in words."""
    if (sticker := message.sticker) is not None:
        return sticker.emoji or "[sticker]"
    if (contact := message.contact) is not None:
        name = " ".join(words for words in (contact.first_name, contact.last_name) if words)
        return ", ".join(words for words in (name, contact.phone_number) if words)
    if (dice := message.dice) is not None:
        return f"{dice.emoji} {dice.value}"
    if (poll := message.poll) is not None:
        return "\n".join((poll.question, *(f"- {option.text}" for option in poll.options)))
    if (checklist := message.checklist) is not None:
        return "\n".join((checklist.title, *(f"- {task.text}" for task in checklist.tasks)))
    return next((f"[{name.replace('_', ' ')}]" for name in UNSHOWN if getattr(message, name, None) is not None), "")


def _put_before(found: list[Part], quote: str) -> None:
    """What somebody picked out of an earlier message, above what they say about it."""
    text = next((part for part in found if isinstance(part, TextPart)), None)
    if text is None or text.text.startswith("/"):
        return
    found[found.index(text)] = TextPart(f"{_quoted(quote)}\n\n{text.text}")


def _quoted(text: str) -> str:
    """Words of somebody else. A forwarded command is not obeyed."""
    return "\n".join(f"> {line}" for line in text.split("\n"))
