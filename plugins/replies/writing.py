"""Writes an answer with a chat model, from the passages that fit best and what the customer's pictures show."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from frontdesk.core.attachments import Attachments
from frontdesk.core.chat import ChatMessage, ChatRequest, ChatResult, Picture
from frontdesk.core.errors import ModelFailed
from frontdesk.core.messages import Entry, ImagePart, Message, Source
from frontdesk.core.models import ChatModel
from frontdesk.core.turn import Turn, recent_words
from frontdesk.plugins.replies.knowledge import Hit, KnowledgeBase

PROMPT = (Path(__file__).parent / "prompts" / "answer.md").read_text(encoding="utf-8")
UNKNOWN = "UNKNOWN"
NOTES = 4
"""So many passages are given to the model."""
HISTORY = 10
"""So many messages before this one are given to the model."""
PICTURES = 3
PICTURE_BYTES = 8 * 1024 * 1024
SEEN = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""What chat models take."""


async def written(
    turn: Turn, knowledge: KnowledgeBase, model: ChatModel, attachments: Attachments, *, seconds: float, tokens: int
) -> tuple[str, tuple[Source, ...]] | None:
    """The model's answer and the passages it was given; None where it does not know. Raises `ModelError`."""
    pictures = await seen(turn, attachments) if model.abilities.pictures else ()
    if not turn.text and not pictures:
        return None
    hits = await knowledge.search(turn.text, limit=NOTES) if turn.text else []
    request = ChatRequest(
        messages=(
            ChatMessage(role="system", text=PROMPT.format(language=turn.language or "en", notes=_notes(hits))),
            *await _history(turn),
            ChatMessage(role="user", text=turn.text, pictures=pictures),
        ),
        max_tokens=tokens,
        seconds=seconds,
        conversation=turn.conversation,
    )
    try:
        async with asyncio.timeout(seconds):
            result: ChatResult = await turn.unless_superseded(model.complete(request))
    except TimeoutError:
        raise ModelFailed(f"{model.name} did not answer in {seconds:g} s") from None
    text = result.text.strip()
    if not text or UNKNOWN in text:
        return None
    near = [hit for hit in hits[:1] if hit.evidence >= knowledge.threshold / 2]
    return text, tuple(Source(title=hit.passage.title, url=hit.passage.url, text=hit.passage.text) for hit in near)


async def seen(turn: Turn, attachments: Attachments) -> tuple[Picture, ...]:
    """The pictures of this turn that a model can take."""
    found = [part.attachment for message in turn.messages for part in message.parts if isinstance(part, ImagePart)]
    usable = [each for each in found if each.id and each.media_type in SEEN and each.size <= PICTURE_BYTES]
    pictures: list[Picture] = []
    for each in usable[:PICTURES]:
        with suppress(KeyError, OSError):  # it has been deleted
            data = await asyncio.to_thread(attachments.path(each.id).read_bytes)
            pictures.append(Picture(data=data, media_type=each.media_type))
    return tuple(pictures)


async def _history(turn: Turn) -> list[ChatMessage]:
    """What was said before this turn."""
    now = {message.id for message in turn.messages}
    entries = await turn.history(HISTORY + len(now))
    # What the customer has written since has a turn of its own.
    before = [each for each in entries if each.body.id not in now and not _waits(each)]
    said = recent_words(before, limit=HISTORY)
    return [ChatMessage(role="user" if author == "contact" else "assistant", text=words) for author, words in said]


def _waits(entry: Entry) -> bool:
    return isinstance(entry.body, Message) and entry.status == "pending"


def _notes(hits: Sequence[Hit]) -> str:
    return "\n\n".join(f"# {hit.passage.title}\n{hit.passage.text}" for hit in hits) or "(none)"
