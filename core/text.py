"""The same words in several languages, chosen when the customer's language is known."""

from collections.abc import Iterator, Mapping


class Text(Mapping[str, str]):
    """`Text(en="Hello", zh="你好")`: looked up by language tag, from `zh-TW` to `zh` to English to the first given."""

    __slots__ = ("_by_language",)

    def __init__(self, **by_language: str) -> None:
        if not by_language:
            raise ValueError("Text needs the words in at least one language, such as Text(en='Hello')")
        self._by_language = {tag.replace("_", "-").lower(): words for tag, words in by_language.items()}

    def __getitem__(self, language: str) -> str:
        return self._by_language[language.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_language)

    def __len__(self) -> int:
        return len(self._by_language)

    def __repr__(self) -> str:
        return f"Text({', '.join(f'{tag}={words!r}' for tag, words in self._by_language.items())})"

    def fitting(self, language: str) -> str:
        known = self._by_language
        tag = language.lower()
        return known.get(tag) or known.get(tag.partition("-")[0]) or known.get("en") or next(iter(known.values()))


Words = str | Text


def in_language(words: Words, language: str) -> str:
    return words if isinstance(words, str) else words.fitting(language)
