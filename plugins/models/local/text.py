"""From token ids to the text that may be shown: whole characters, and no thoughts."""

from collections.abc import Sequence
from typing import Any

BROKEN = "\ufffd"
MAX_HELD = 16
"""Tokens that may wait for the rest of a character. It has at most four bytes: what takes longer is rubbish."""


class Detokenizer:
    """Decodes tokens as they come. The pieces put together are the text; bytes that are no character are left out.

    What a token means depends on those before it (SentencePiece drops the first space, a character may have parts in several
    tokens), so new tokens are decoded together with those of the piece before, and the difference is what is new.
    """

    def __init__(self, tokenizer: Any, *, special: bool) -> None:
        """`special` keeps special tokens: some families mark tool calls by them."""
        self._tokenizer = tokenizer
        self._special = special
        self._ids: list[int] = []
        self._before = 0
        """Where the piece before begins."""
        self._told = 0
        """Tokens whose text was given out."""

    def add(self, ids: Sequence[int]) -> str:
        self._ids.extend(ids)
        return self._up_to(self._whole())

    def rest(self) -> str:
        """What was held back, without the part of a character that never became whole."""
        return self._up_to(len(self._ids))

    def _whole(self) -> int:
        """How many tokens end in no part of a character; all of them, if that is not a character any more."""
        least = max(self._told, len(self._ids) - MAX_HELD)
        for end in range(len(self._ids), least, -1):
            if not self._decoded(self._ids[self._before : end]).endswith(BROKEN):
                return end
        return self._told if least == self._told else len(self._ids)

    def _up_to(self, end: int) -> str:
        known = self._decoded(self._ids[self._before : self._told])
        text = self._decoded(self._ids[self._before : end])
        if len(text) <= len(known):
            return ""
        self._before, self._told = self._told, end
        return text[len(known) :].replace(BROKEN, "")

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=not self._special, clean_up_tokenization_spaces=False)
        return text


class Thoughts:
    """Leaves out what a reasoning model thinks before its answer, between `<think>` and `</think>`.

    With `begun` the prompt has opened the thoughts already, as some chat templates do.
    """

    OPEN, CLOSE = "<think>", "</think>"

    def __init__(self, *, begun: bool = False) -> None:
        self._state = "thinking" if begun else "undecided"
        self._held = ""

    def add(self, text: str) -> str:
        if self._state == "answering":
            return text
        self._held += text
        if self._state == "undecided":
            start = self._held.lstrip()
            if start.startswith(self.OPEN):
                self._state = "thinking"
            elif self.OPEN.startswith(start):
                return ""
            else:
                return self._answer(self._held)
        if self._state == "thinking":
            _, closed, answer = self._held.partition(self.CLOSE)
            if closed:
                self._state, self._held = "thought", answer
            else:
                self._held = self._held[-len(self.CLOSE) :]
                return ""
        return self._answer(answer) if (answer := self._held.lstrip()) else ""

    def rest(self) -> str:
        return self._answer(self._held) if self._state == "undecided" else ""

    def _answer(self, text: str) -> str:
        self._state, self._held = "answering", ""
        return text
