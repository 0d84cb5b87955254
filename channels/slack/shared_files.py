"""Files that customers share: what Slack says about one, as a part of a message. https://docs.slack.dev/reference/objects/file-object"""

from collections.abc import Mapping, Sequence
from typing import Any

from frontdesk.channels.slack.incoming import text
from frontdesk.core.attachments import safe_name
from frontdesk.core.messages import Attachment, AudioPart, FilePart, ImagePart, Part

MAX_FILES = 50
SOUND = {"video/mp4": "audio/mp4", "video/quicktime": "audio/mp4", "video/webm": "audio/webm", "audio/x-m4a": "audio/mp4"}
"""Clips of the voice come as `slack_audio`, at times under the type of a video."""
CLIPS = ("slack_audio", "slack_video")
"""Both are somebody who speaks."""
GONE = {
    "tombstone": "the file was deleted",
    "hidden_by_limit": "the workspace's plan hides the file",
    "external": "the file is kept outside of Slack",
}


def parts(files: object) -> list[Part]:
    if not isinstance(files, Sequence) or isinstance(files, str):
        return []
    return [_part(file) for file in files[:MAX_FILES] if isinstance(file, Mapping) and text(file, "id")]


def _part(file: Mapping[str, Any]) -> Part:
    attachment = _attachment(file)
    if text(file, "subtype") in CLIPS or attachment.media_type.startswith("audio/"):
        return AudioPart(attachment, seconds=_seconds(file.get("duration_ms")))
    if attachment.media_type.startswith("image/"):
        return ImagePart(attachment)
    return FilePart(attachment)


def _attachment(file: Mapping[str, Any]) -> Attachment:
    media_type = text(file, "mimetype").lower() or "application/octet-stream"
    if text(file, "subtype") == "slack_audio" or media_type in ("audio/x-m4a",):
        media_type = SOUND.get(media_type, media_type)
    size = file.get("size")
    # A file from a connected workspace comes without an address: it is asked for by its id.
    address = text(file, "url_private_download") or text(file, "url_private")
    return Attachment(
        id="",
        name=safe_name(text(file, "name") or text(file, "title") or text(file, "id")),
        media_type=media_type[:200],
        size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else 0,
        remote=address or text(file, "id"),
        problem=GONE.get(text(file, "mode")),
    )


def _seconds(milliseconds: object) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) and 0 < milliseconds < 1e10 else None
