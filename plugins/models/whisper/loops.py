"""Models that have lost the thread say the same again and again."""

REPEATS = 3
"""So often a phrase of several words may be said in a row; a single word one time more."""

LONGEST_PHRASE = 24


def unlooped(text: str) -> str:
    """The text with what is repeated in a row more than `REPEATS` times said once. Without spaces, characters count as words."""
    spaced = " " in text.strip()
    words = text.split() if spaced else list(text)
    kept: list[str] = []
    at = 0
    while at < len(words):
        size, times = _repeated(words, at)
        kept += words[at : at + size]
        at += size * times
    return (" " if spaced else "").join(kept)


def _repeated(words: list[str], at: int) -> tuple[int, int]:
    """The shortest phrase that begins here and is repeated too often, and how often; else one word, once."""
    for size in range(1, min(LONGEST_PHRASE, (len(words) - at) // 2) + 1):
        phrase, times = words[at : at + size], 1
        while words[at + times * size : at + (times + 1) * size] == phrase:
            times += 1
        if times > REPEATS + (size == 1):
            return size, times
    return 1, 1
