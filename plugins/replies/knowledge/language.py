"""The language of an article whose author did not state it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any


class Detector:
    """Chooses among the given languages; with one language there is nothing to choose."""

    def __init__(self, languages: Sequence[str]) -> None:
        if not languages:
            raise ValueError("name at least one language")
        self._languages = list(languages)

    def language(self, text: str) -> str:
        """The likeliest language. Blocks for a fraction of a millisecond, the first call for some tenths of a second."""
        if len(self._languages) == 1:
            return self._languages[0]
        code, _ = self._identifier.classify(text[:2000])
        return str(code)

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE)
        identifier.set_languages(self._languages)
        return identifier
