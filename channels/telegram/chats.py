"""Groups that have become supergroups: they have another id there, and the conversation goes on."""

import json
import os
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Chats:
    """Kept in a small file, since Telegram tells of a migration once, and messages may wait for the old id for long.

    A conversation keeps the id that it began with: its history, its open question and its agent stay its own.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._moved: dict[int, int] = {}
        self._first: dict[int, int] = {}

    def load(self) -> None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            moved = {int(old): int(new) for old, new in kept.items()}
        except FileNotFoundError:
            moved = {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("the file of groups that have moved cannot be read", file=self._file.name, error=type(error).__name__)
            moved = {}
        self._moved = moved
        self._first = {new: old for old, new in moved.items()}

    def move(self, old: int, new: int) -> None:
        """Durable on return. Raises `OSError`."""
        if self._moved.get(old) == new or old == new:
            return
        moved = {**self._moved, old: new}
        partial = self._file.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump({str(old): new for old, new in moved.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._file)
        self._moved = moved
        self._first[new] = old

    def now(self, chat: int) -> int:
        """Where the chat is today."""
        return self._moved.get(chat, chat)

    def first(self, chat: int) -> int:
        """The id that the chat's conversations have."""
        return self._first.get(chat, chat)
