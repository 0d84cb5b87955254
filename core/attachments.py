"""Files that customers and agents send, kept on disk outside the database."""

import asyncio
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import AsyncIterable
from pathlib import Path
from typing import BinaryIO

from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.messages import Attachment

_ID = re.compile(r"[0-9a-f]{32}\Z")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def safe_name(name: str) -> str:
    """A file name without folders, control characters, bidirectional tricks or a leading dot; at most 120 characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", name.encode("utf-8", "replace").decode()).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    return (f"{stem[:100]}.{suffix[:16]}" if dot and stem else name[:120]) or "file"


class Attachments:
    """One file per attachment, under a random id that cannot be guessed. Names given by senders never become paths."""

    def __init__(self, folder: Path, *, max_size: int = 20 * 1024 * 1024) -> None:
        self.folder = folder
        self.max_size = max_size

    async def save(self, chunks: AsyncIterable[bytes], *, name: str, media_type: str, max_size: int | None = None) -> Attachment:
        """Streams to disk; durable on return.

        Raises `InvalidInput` (413) over `max_size` bytes, and `Unavailable` if the disk fails.
        """
        limit = max_size or self.max_size
        id = secrets.token_hex(16)
        path = self._path(id)
        partial = path.with_suffix(".partial")
        size = 0
        try:
            file = await asyncio.to_thread(self._create, partial)
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise InvalidInput(f"the file is larger than {limit // 1024} kB", status=413)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(self._finish, file, partial, path)
            finally:
                await asyncio.to_thread(file.close)
        except OSError as error:
            raise Unavailable(f"the attachment store cannot write: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)
        return Attachment(id=id, name=safe_name(name), media_type=media_type, size=size)

    def path(self, id: str) -> Path:
        """Where the attachment lies. Raises `KeyError` for anything that is not the id of a stored one."""
        if not _ID.match(id) or not (path := self._path(id)).is_file():
            raise KeyError(id)
        return path

    async def remove(self, id: str) -> None:
        """Removes a stored file, if there is one of that id."""
        if _ID.match(id):
            await asyncio.to_thread(self._path(id).unlink, missing_ok=True)

    async def digest(self, id: str) -> str:
        """SHA-256, in hexadecimal."""

        def read() -> str:
            with self.path(id).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

        return await asyncio.to_thread(read)

    def _path(self, id: str) -> Path:
        return self.folder / id[:2] / id

    @staticmethod
    def _create(path: Path) -> BinaryIO:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    @staticmethod
    def _finish(file: BinaryIO, partial: Path, path: Path) -> None:
        file.flush()
        os.fsync(file.fileno())
        partial.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name must be durable, too
        finally:
            os.close(folder)
