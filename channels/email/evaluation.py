"""How well the new text of mails is found, on mails whose new text is known."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter

from frontdesk.channels.email.reply_text import new_text


@dataclass(frozen=True, slots=True)
class Case:
    """`text` is the mail's plain text, `reply` what is new in it."""

    name: str
    text: str
    reply: str


@dataclass(frozen=True, slots=True)
class Score:
    """`exact`: the share of the cases whose words are all right and in order; white space does not count.

    `f1` is the mean of the cases' token F1, `slowest` in seconds. `failed` names the cases that are not exact.
    """

    cases: int
    exact: float
    f1: float
    slowest: float
    failed: tuple[str, ...]


def score(cases: Iterable[Case], extract: Callable[[str], str] = lambda text: new_text(text).text) -> Score:
    """Raises ValueError if there are no cases."""
    exact: list[bool] = []
    f1: list[float] = []
    failed: list[str] = []
    slowest = 0.0
    for case in cases:
        start = perf_counter()
        found = extract(case.text).split()
        slowest = max(slowest, perf_counter() - start)
        expected = case.reply.split()
        exact.append(found == expected)
        f1.append(token_f1(found, expected))
        if found != expected:
            failed.append(case.name)
    if not exact:
        raise ValueError("there are no cases")
    return Score(cases=len(exact), exact=fmean(exact), f1=fmean(f1), slowest=slowest, failed=tuple(failed))


def token_f1(found: Iterable[str], expected: Iterable[str]) -> float:
    """The harmonic mean of precision and recall of the words, each as often as it stands there."""
    have, want = Counter(found), Counter(expected)
    if not have and not want:
        return 1.0
    common = (have & want).total()
    return 2 * common / (have.total() + want.total())


def read_cases(folder: Path) -> Iterator[Case]:
    """The cases of a folder: `*.json` with lists of `{"name", "text", "reply"}`, and pairs `emails/NAME.txt`, `replies/NAME.txt`.

    Raises ValueError, with the name of the file, for one that is neither.
    """
    for file in sorted(folder.rglob("*.json")):
        try:
            for case in json.loads(file.read_text(encoding="utf-8")):
                yield Case(f"{file.stem}: {case['name']}", str(case["text"]), str(case["reply"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file} is no list of cases: {error}") from error
    for file in sorted((folder / "emails").glob("*.txt")):
        reply = folder / "replies" / file.name
        if not reply.is_file():
            raise ValueError(f"{file} has no {reply}")
        yield Case(file.stem, *(path.read_text(encoding="utf-8", errors="replace") for path in (file, reply)))
