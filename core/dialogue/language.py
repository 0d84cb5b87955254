"""Which language a message is in, among those the bot speaks."""

import re
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

# Scripts that tell a language, or a few, from all others. Han is last: Japanese has it beside its own letters.
SCRIPTS = {
    "kana": (re.compile(r"[\u3040-\u30ff]"), {"ja"}),
    "hangul": (re.compile(r"[\uac00-\ud7af\u1100-\u11ff]"), {"ko"}),
    "arabic": (re.compile(r"[\u0600-\u06ff\u0750-\u077f]"), {"ar", "fa", "ur"}),
    "hebrew": (re.compile(r"[\u0590-\u05ff]"), {"he"}),
    "cyrillic": (re.compile(r"[\u0400-\u04ff]"), {"ru", "uk", "bg", "sr", "be", "mk", "kk", "mn"}),
    "greek": (re.compile(r"[\u0370-\u03ff]"), {"el"}),
    "thai": (re.compile(r"[\u0e00-\u0e7f]"), {"th"}),
    "devanagari": (re.compile(r"[\u0900-\u097f]"), {"hi", "mr", "ne"}),
    "han": (re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"), {"zh", "ja"}),
}
SHARE = 3
"""A script counts if one in three of its letters and the Latin words together is its own: neither a brand's name nor an address
in Latin letters makes a Chinese sentence English."""

# An address is looked for where a word begins only: from every letter of a long one, it would take the square of its length.
_NOT_WORDS = re.compile(
    r"https?://\S+|(?<!\S)\S+@\S+"
    r"|(?<!\S)/[A-Za-z][\w-]*"  # a command
    r"|(?<![A-Za-z0-9])[A-Za-z]*\d[A-Za-z0-9]*"  # a code, or the number of an order
    r"|[\d\W_]+"
)
_LATIN_WORD = re.compile(r"[a-zA-Z\u00c0-\u024f]+")
FEW_WORDS = 2
FEW_LETTERS = 12
MAX_CHARACTERS = 2_000


class LanguageDetector:
    """By the script where that is enough, else by py3langid restricted to the bot's languages of that script.

    One or two words prove nothing and keep the conversation's language.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self._base = {language: language.partition("-")[0].lower() for language in languages}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Loads the model, about a second, if it can ever be needed: for a thread at start, so that no turn waits for it."""
        if any(len(self._written_in(script)) > 1 for script in (*SCRIPTS, "latin")):
            self._identifier.classify("")

    def detect(self, text: str, current: str | None) -> str:
        """The language of `text`; `current` where the text tells nothing, the bot's first language without one."""
        fallback = current or self.languages[0]
        if len(self.languages) == 1:
            return fallback
        letters = _NOT_WORDS.sub(" ", text[:MAX_CHARACTERS]).strip()
        if not letters:
            return fallback
        script = _script(letters)
        candidates = self._written_in(script)
        if script == "latin" and (len(letters.split()) <= FEW_WORDS or len(letters) < FEW_LETTERS):
            return fallback
        if len(candidates) <= 1:
            return candidates[0] if candidates else fallback
        with self._lock:
            found, _ = self._identifier.classify(letters[:1000])
        return next((language for language in candidates if self._base[language] == found), fallback)

    def _written_in(self, script: str) -> list[str]:
        """The bot's languages of a script."""
        if script == "latin":
            others = set[str]().union(*(languages for _, languages in SCRIPTS.values()))
            return [language for language in self.languages if self._base[language] not in others]
        return [language for language in self.languages if self._base[language] in SCRIPTS[script][1]]

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
        identifier.set_languages(sorted(set(self._base.values())))
        return identifier


def _script(letters: str) -> str:
    if letters.isascii():
        return "latin"
    counts = {name: len(pattern.findall(letters)) for name, (pattern, _) in SCRIPTS.items()}
    units = sum(counts.values()) + len(_LATIN_WORD.findall(letters))
    return next((name for name, count in counts.items() if count and count * SHARE >= units), "latin")
