"""The new text of a mail: without quotes and the lines that introduce them, without signatures, disclaimers and device lines.

Works line by line, so its time grows linearly with the text. In doubt nothing is cut; if everything would be, all of it is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.channels.email.quotes import attribution, headers, signatures
from frontdesk.channels.email.quotes.attribution import Match
from frontdesk.channels.email.quotes.html import without_quotes as new_html
from frontdesk.channels.email.quotes.lines import LONGEST, QUOTE_MARKS, clean, is_quoted, unmarked

__all__ = ["Extracted", "new_html", "new_text"]

#: Beyond so many characters only quote marks are looked at.
LIMIT = 100_000
#: So many lines are examined for what introduces a quote; the quotes of a real mail begin long before.
_MOST_ATTEMPTS = 1500
#: A longer quote above an answer is left out even where questions and answers alternate.
_MOST_CONTEXT = 25
#: Of a text that is more broken up, only the end is searched for a signature.
_MOST_RUNS = 500


@dataclass(frozen=True, slots=True)
class Extracted:
    """`text` is what the sender wrote. Where questions and answers alternate, it keeps the quoted questions (with their `>`),
    because the answers alone mean nothing."""

    text: str
    quoted: str = ""
    signature: str = ""


@dataclass(slots=True)
class _Run:
    """Lines that follow each other and are of one kind: new ones, or quoted ones with what introduces them."""

    new: bool
    lines: list[str]
    signature: list[str]


def new_text(text: str) -> Extracted:
    """What is new in the plain text (or Markdown) of a mail. Never raises; `text` is never longer than what was given."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    end = len(whole) if len(whole) <= LIMIT else whole.rfind("\n", 0, LIMIT)
    if end < 0:
        return Extracted(whole.strip())
    head, tail = whole[:end], whole[end + 1 :]
    runs, cut = _runs(head.split("\n"))
    if tail and cut:
        runs[-1].lines.append(tail)
    elif tail:
        marked = any(mark in tail for mark in QUOTE_MARKS)
        kept = [line for line in tail.split("\n") if not is_quoted(line)] if marked else [tail]
        runs.append(_Run(True, kept, []))
    for run in runs if len(runs) < _MOST_RUNS else runs[-2:]:
        if run.new:
            run.lines, run.signature = signatures.cut(run.lines)
    found = _join(runs)
    if not found.text:  # what looks like a signature may be all that was written
        for run in runs:
            if run.new:
                run.lines, run.signature = run.lines + run.signature, []
        found = _join(runs)
    return found if found.text else Extracted(whole.strip())


def _join(runs: Sequence[_Run]) -> Extracted:
    blank = [not any(map(clean, run.lines[:LIMIT])) for run in runs]
    answered = [index for index in range(len(runs) - 1) if not runs[index].new and runs[index + 1].new and not blank[index + 1]]
    context = {index for index in answered if len(runs[index].lines) <= _MOST_CONTEXT} if len(answered) > 1 else set[int]()
    new: list[str] = []
    quoted: list[str] = []
    for index, run in enumerate(runs):
        if run.new:
            if not blank[index]:
                new.append("\n".join(run.lines).strip("\n"))
        else:
            quoted.extend(run.lines)
            if index in context:
                new.extend(line for line in run.lines if is_quoted(line) and unmarked(clean(line)))
    signature = "\n".join(line for run in runs for line in run.signature)
    return Extracted("\n".join(new).strip(), "\n".join(quoted).strip("\n"), signature.strip("\n"))


def _runs(lines: list[str]) -> tuple[list[_Run], bool]:
    """The lines as runs, and whether everything after them is old."""
    runs: list[_Run] = []

    def add(new: bool, found: Sequence[str]) -> None:
        if not found:
            return
        if runs and runs[-1].new is new:
            runs[-1].lines.extend(found)
        else:
            runs.append(_Run(new, list(found), []))

    begin = index = own = attempts = 0
    written = False  # whether a line of the sender's has been seen
    while index < len(lines):
        line = lines[index]
        if is_quoted(line):
            stop = _quote_end(lines, index)
            written = written or any(map(clean, lines[max(begin, own) : index]))
            add(True, lines[begin:index])
            add(False, lines[index:stop])
            begin = index = stop
            continue
        found = None
        if attempts < _MOST_ATTEMPTS and _may_introduce(line):
            attempts += 1
            found = _boundary(lines, index, begin)
        if found is None:
            index += 1
            continue
        start, above, stop = found
        following = _next_content(lines, stop)
        marked = following is not None and is_quoted(lines[following])
        written = written or bool(above) or any(map(clean, lines[max(begin, own) : start]))
        if not marked and not written:
            index = own = stop  # a forwarded mail, or an old one without marks, and all there is
            continue
        add(True, [*lines[begin:start], *([above] if above else [])])
        if not marked:
            add(False, lines[start:])
            return runs, True
        add(False, lines[start:following])
        begin = index = following or stop
    add(True, lines[begin:])
    return runs, False


def _may_introduce(line: str) -> bool:
    """A quick test that every line passes at which `_boundary` finds something."""
    return ":" in line or "：" in line or line.rstrip().endswith((">", "-", "_", "=", "*", "#")) or attribution.could_end(line)


def _boundary(lines: Sequence[str], index: int, floor: int) -> tuple[int, str, int] | None:
    """What introduces older text here: its first line, new text that stands before it on that line, and the line after it."""
    line = clean(lines[index])
    if not line or len(line) > LONGEST:
        return None
    if line[0] in "-_=*~—–─━#+" and (headers.is_separator(line) or headers.is_reply_marker(line)):
        return index, "", index + 1
    if headers.is_rule(line):
        following = _next_content(lines, index + 1)
        if following is not None and headers.block(lines, following, separated=True):
            return index, "", headers.block(lines, following, separated=True)
        return None
    if headers.is_bare_separator(line):
        following = _next_content(lines, index + 1)
        if following is not None and (is_quoted(lines[following]) or headers.block(lines, following, separated=True)):
            return index, "", index + 1
    if headers.role(line) is not None:
        stop = headers.block(lines, index)
        if stop:
            return index, "", stop
    return _attribution(lines, index, floor, line)


def _attribution(lines: Sequence[str], index: int, floor: int, line: str) -> tuple[int, str, int] | None:
    if attribution.could_end(line):
        start, sure = attribution.lines_above(lines, index, floor)
        if sure:
            following = _next_content(lines, index + 1)
            quoted = following is not None and is_quoted(lines[following])
            if sure is Match.SURE or quoted:
                inline = attribution.before_inline(lines[index]) if start == index else 0
                return start, lines[index][:inline].rstrip(" -"), index + 1
    end = attribution.split_after_colon(line)
    if 0 < end < len(line):
        start, sure = attribution.lines_above(lines, index, floor, line[:end])
        if sure is Match.SURE and attribution.opens(lines[start]):
            return start, "", index + 1
    return None


def _quote_end(lines: Sequence[str], index: int) -> int:
    """The line after a quote: its marked lines, the blank ones between them and what overflowed from them."""
    stop = index + 1
    number = index + 1
    while number < len(lines):
        if is_quoted(lines[number]) or (number == stop and _overflows(lines, number)):
            stop = number + 1
        elif clean(lines[number]):
            break
        number += 1
    return stop


def _overflows(lines: Sequence[str], index: int) -> bool:
    """A line that wrapped out of a quote, between two marked ones: the rest of a long line or of a link."""
    if index + 1 >= len(lines) or not is_quoted(lines[index + 1]) or not is_quoted(lines[index - 1]):
        return False
    above, line = lines[index - 1][:LONGEST], clean(lines[index])
    if len(above) > 60 and line[:1].islower() and not above.rstrip().endswith((".", "!", "?")):
        return True
    if not line or " " in line.strip(" >"):
        return False
    opened = above.rfind("(http") > above.rfind(")") or above.rfind("<http") > above.rfind(">", 4)
    return opened or line.startswith(("(http", "<http", "http"))


def _next_content(lines: Sequence[str], index: int) -> int | None:
    for number in range(index, min(len(lines), index + 8)):
        if clean(lines[number]):
            return number
    return None
