"""How long the worst mails take: `python -m benchmarks.mail`. Each is a megabyte; the times are CPU seconds of one process."""

from collections.abc import Callable, Iterator
from time import process_time

from tests.channels.email.hostile import MARKUP, NOTICES, PAGES, UNITS, repeated

from frontdesk.channels.email.automatic import automatic
from frontdesk.channels.email.html import markdown
from frontdesk.channels.email.mime import read
from frontdesk.channels.email.reply_text import new_html, new_text

SHOWN = 5


def main() -> None:
    for name, times in (
        ("the new text of a text", _texts()),
        ("the new text of a page, from HTML to Markdown to text", _pages()),
        ("whether a mail is automatic", _notices()),
    ):
        worst = sorted(times, reverse=True)
        print(f"{name}: {len(worst)} megabytes, the slowest {worst[0][0]:.2f} s")
        for seconds, what in worst[:SHOWN]:
            print(f"    {seconds:.2f} s  {what!r}")


def _texts() -> Iterator[tuple[float, str]]:
    for unit in UNITS:
        text = repeated(unit)
        yield _seconds(lambda text=text: new_text(text)), unit[:30]


def _pages() -> Iterator[tuple[float, str]]:
    for name, page in {**{unit: repeated(unit) for unit in MARKUP}, **PAGES}.items():
        yield _seconds(lambda page=page: new_text(markdown(new_html(page)))), name


def _notices() -> Iterator[tuple[float, str]]:
    for unit in NOTICES:
        text = repeated(unit)
        for sender in ("ann@b.example", "mailer-daemon@b.example"):
            mail = read(f"From: {sender}\nSubject: {' '.join(text[:5000].split())}\n\n{text}".encode())
            yield _seconds(lambda mail=mail: automatic(mail)), f"{sender}: {unit[:30]}"


def _seconds(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


if __name__ == "__main__":
    main()
