"""Invitations (iCalendar, RFC 5545) in a line of text each: what, when, where, who."""

import re
from collections.abc import Iterator
from datetime import datetime

MAX_EVENTS = 10
MAX_ATTENDEES = 5
FOLD = re.compile(r"\n[ \t]")
LINE = re.compile(r'([A-Za-z-]{1,40})((?:;[^:;="]{1,40}=(?:"[^"]{0,400}"|[^:;"]{0,400})){0,20}):(.*)')
WHEN = re.compile(r"(\d{8})(?:T(\d{4})(?:\d{2})?(Z?))?$")
ESCAPED = re.compile(r"\\([\\;,nN])")


def events(text: str) -> list[str]:
    """A line for each event, such as `📅 Call, 2026-03-02 10:00-10:30 Europe/Berlin, room 1, Ann, Bob`; ✖ if it is called off."""
    summaries: list[str] = []
    cancelled = False
    event: dict[str, list[tuple[str, str]]] | None = None
    for name, parameters, value in _lines(text):
        match name, value.upper():
            case "METHOD", method:
                cancelled = method == "CANCEL"
            case "BEGIN", "VEVENT" | "VTODO":
                event = {}
            case "END", "VEVENT" | "VTODO" if event is not None:
                if len(summaries) < MAX_EVENTS and (summary := _summary(event)):
                    summaries.append(f"{'✖' if cancelled or ('', 'CANCELLED') in event.get('STATUS', ()) else '📅'} {summary}")
                event = None
            case _ if event is not None and len(known := event.setdefault(name, [])) <= MAX_ATTENDEES:
                known.append((parameters, value))
    return summaries


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    for line in FOLD.sub("", text).split("\n"):
        if match := LINE.match(line):
            yield match[1].upper(), match[2], match[3].strip()


def _summary(event: dict[str, list[tuple[str, str]]]) -> str:
    def first(name: str) -> str:
        return _text(event[name][0][1])[:200] if name in event else ""

    people = [_person(*value) for name in ("ORGANIZER", "ATTENDEE") for value in event.get(name, ())]
    shown = list(dict.fromkeys(filter(None, people)))
    if len(shown) > MAX_ATTENDEES:
        shown = [*shown[:MAX_ATTENDEES], "…"]
    return ", ".join(filter(None, [first("SUMMARY"), _when(event), first("LOCATION"), *shown]))


def _when(event: dict[str, list[tuple[str, str]]]) -> str:
    start = event.get("DTSTART") or event.get("DUE")
    if not start or not (begin := _time(start[0][1])):
        return ""
    zone = re.search(r'TZID="?/?([^";:]{1,60})', start[0][0])
    end = _time(event["DTEND"][0][1]) if "DTEND" in event else ""
    if end[:10] == begin[:10]:
        end = end[11:]
    named = "UTC" if start[0][1].endswith("Z") else zone[1] if zone and len(begin) > 10 else ""
    return f"{begin}{f'-{end}' if end and end != begin else ''}{f' {named}' if named else ''}"


def _time(value: str) -> str:
    """Local to its zone, as it is written; empty if it is no time."""
    if not (match := WHEN.match(value)):
        return ""
    try:
        time = datetime.strptime(match[1] + (match[2] or "0000"), "%Y%m%d%H%M")  # noqa: DTZ007 - shown beside its zone's name
    except ValueError:
        return ""
    return time.strftime("%Y-%m-%d %H:%M" if match[2] else "%Y-%m-%d")


def _person(parameters: str, value: str) -> str:
    name = re.search(r';CN=(?:"([^"]*)"|([^;:]*))', parameters, re.IGNORECASE)
    shown = (name[1] or name[2] or "") if name else ""
    return _text(shown or re.sub(r"^mailto:", "", value, flags=re.IGNORECASE))[:100]


def _text(value: str) -> str:
    return " ".join(ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], value).split())
