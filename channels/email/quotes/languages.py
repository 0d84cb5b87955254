"""The words that mail programs put around a reply, by language: `languages.toml`, whose head explains its fields."""

from importlib.resources import files
from tomllib import loads

_LANGUAGES: dict[str, dict[str, list[str]]] = loads(files(__package__).joinpath("languages.toml").read_text())


def every(field: str) -> tuple[str, ...]:
    """The words of a field in all languages, casefolded, without repetitions, longest first."""
    found = {word.casefold() for language in _LANGUAGES.values() for word in language.get(field, ())}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def patterns(field: str) -> tuple[str, ...]:
    """The regular expressions of a field, of all languages."""
    return tuple(pattern for language in _LANGUAGES.values() for pattern in language.get(field, ()))
