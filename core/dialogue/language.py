"""Which language a message is in, among those the bot speaks."""

import re
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_NOT_WORDS = re.compile(r"https?://\S+|\S+@\S+|[\d\W_]+")
FEW_WORDS = 2
FEW_LETTERS = 12


class LanguageDetector:
    """py3langid restricted to the bot's languages. One or two words prove nothing and keep the conversation's language."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self._lock = threading.Lock()

    def load(self) -> None:
        """Loads the model, about a second: for a thread at start, so that no turn waits for it."""
        if len(self.languages) > 1:
            self._identifier.classify("")

    def detect(self, text: str, current: str | None) -> str:
        """The language of `text`; `current` where the text tells nothing, the bot's first language without one."""
        fallback = current or self.languages[0]
        if len(self.languages) == 1:
            return self.languages[0]
        letters = _NOT_WORDS.sub(" ", text).strip()
        if not letters:
            return fallback
        if scripted := self._by_script(letters):
            return scripted
        if letters.isascii() and (len(letters.split()) <= FEW_WORDS or len(letters) < FEW_LETTERS):
            return fallback
        with self._lock:
            language, _ = self._identifier.classify(letters[:1000])
        return language if language in self.languages else fallback

    def _by_script(self, letters: str) -> str | None:
        """Chinese, Japanese and Korean show in their letters, however short the text is."""
        if "ja" in self.languages and _KANA.search(letters):
            return "ja"
        if "ko" in self.languages and _HANGUL.search(letters):
            return "ko"
        if (
            "zh" in self.languages
            and len(_HAN.findall(letters)) * 3 >= len(letters.replace(" ", ""))
            and not _KANA.search(letters)
        ):
            return "zh"
        return None

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
        identifier.set_languages(list(self.languages))
        return identifier
