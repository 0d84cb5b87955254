"""Files on the platform: uploaded by people or by the bot, named by ids, and downloaded by paths."""

from dataclasses import dataclass
from itertools import count
from typing import Any

MAX_DOWNLOAD = 20 * 1024 * 1024
_FOLDERS = {"photo": "photos", "voice": "voice", "audio": "music", "video": "videos", "video_note": "video_notes"}
_SUFFIXES = {"photo": ".jpg", "voice": ".oga", "video_note": ".mp4", "sticker": ".webp"}
IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")


@dataclass(frozen=True)
class StoredFile:
    id: str
    unique_id: str
    kind: str
    name: str
    media_type: str
    path: str
    data: bytes

    @property
    def described(self) -> dict[str, Any]:
        return {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": len(self.data)}


class Files:
    def __init__(self) -> None:
        self._numbers = count(1)
        self.by_id: dict[str, StoredFile] = {}
        self.by_path: dict[str, StoredFile] = {}

    def store(self, kind: str, data: bytes, *, name: str = "", media_type: str = "") -> StoredFile:
        number = next(self._numbers)
        suffix = _SUFFIXES.get(kind) or ("." + name.rpartition(".")[2] if "." in name else "")
        stored = StoredFile(
            id=f"BQACAgIAAxkBAAI{number:06d}AAE",
            unique_id=f"AgAD{number:06d}",
            kind=kind,
            name=name,
            media_type=media_type,
            path=f"{_FOLDERS.get(kind, 'documents')}/file_{number}{suffix if suffix.isascii() and suffix.isprintable() else ''}",
            data=data,
        )
        self.by_id[stored.id] = self.by_path[stored.path] = stored
        return stored

    def media(self, kind: str, data: bytes, *, name: str = "", media_type: str = "", seconds: int = 3) -> Any:
        """What stands under the name of the kind in a message. A photo comes in several sizes, the smallest first."""
        if kind == "photo":
            return self._photo(data)
        stored = self.store(kind, data, name=name, media_type=media_type)
        described = stored.described
        if kind in ("document", "audio", "video", "animation") and name:
            described["file_name"] = name
        if kind != "video_note" and media_type:
            described["mime_type"] = media_type
        if kind in ("voice", "audio", "video", "video_note", "animation"):
            described["duration"] = seconds
        if kind in ("video", "animation"):
            described |= {"width": 640, "height": 360}
        if kind == "video_note":
            described["length"] = 240
        return described

    def _photo(self, data: bytes) -> list[dict[str, Any]]:
        thumbnail = self.store("photo", b"\xff\xd8\xff thumbnail")
        return [
            {**thumbnail.described, "width": 90, "height": 67},
            {**self.store("photo", data).described, "width": 1280, "height": 960},
        ]

    def of_message(self, message: dict[str, Any]) -> list[StoredFile]:
        """The files in a message, a photo in its largest size."""
        found = []
        for kind in ("photo", "document", "audio", "voice", "video", "video_note", "animation", "sticker"):
            media = message.get(kind)
            if media and not (kind == "document" and "animation" in message):
                found.append(self.by_id[(media[-1] if isinstance(media, list) else media)["file_id"]])
        return found
