"""The watch over a mailbox, on the server in memory, which fails as it is told to, and on Dovecot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from frontdesk.channels.email import mailbox
from frontdesk.channels.email.imap import CHUNK, Connection, ImapError, LoginRefused
from frontdesk.channels.email.mailbox import BATCH, BEGINNING, Letter, Mailbox, Watching
from frontdesk.channels.email.settings import Account
from frontdesk.channels.email.state import State
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.testing.platform import until
from frontdesk.testing.mail import MailServer, StoredMail

from .conftest import account, host
from .running import ANN, BOT
from .servers import RealMail

QUICK = Watching(idle_seconds=30, poll_seconds=0.05, timeout=5)


def mail(number: int, body: bytes = b"hello") -> bytes:
    return b"From: ann@home.example\r\nSubject: number %d\r\n\r\n" % number + body + b"\r\n"


class Taken:
    """Takes mail, and fails as `fail` says."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.fail: Callable[[Letter], Exception | None] = lambda letter: None

    async def __call__(self, letter: Letter) -> None:
        if error := self.fail(letter):
            raise error
        self.letters.append(letter)

    @property
    def numbers(self) -> list[int]:
        heads = [letter.data.partition(b"\r\n\r\n")[0] for letter in self.letters]
        return [int(head.partition(b"number ")[2].split()[0]) for head in heads]


@asynccontextmanager
async def watched(folder: Path, take: Taken, box: Account, watching: Watching = QUICK) -> AsyncIterator[None]:
    state = await State.open(folder / "email.db")
    task = asyncio.create_task(Mailbox(box, state, take, watching).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await state.close()


def seen(stored: StoredMail) -> bool:
    return r"\Seen" in stored.flags


@pytest.fixture
def take() -> Taken:
    return Taken()


async def test_new_mail_is_taken_at_once_and_then_marked(server: MailServer, take: Taken, tmp_path: Path) -> None:
    first = server.deliver(mail(1), BOT)
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: server.imap.idling == 1)
        assert take.numbers == [1]
        assert seen(first)
        second = server.deliver(mail(2), BOT)
        await until(lambda: seen(second))
        assert take.numbers == [1, 2]
        assert take.letters[0].data == mail(1)


async def test_mail_is_taken_in_order_and_marked_only_after_it_was_taken(server: MailServer, take: Taken, tmp_path: Path) -> None:
    stored = [server.deliver(mail(number), BOT) for number in range(BATCH + 5)]
    take.fail = lambda letter: AssertionError if any(map(seen, stored[len(take.letters) :])) else None  # type: ignore[return-value]
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: all(map(seen, stored)))
    assert take.numbers == list(range(BATCH + 5))


async def test_what_cannot_be_kept_stays_unread_and_is_taken_later(server: MailServer, take: Taken, tmp_path: Path) -> None:
    stored = [server.deliver(mail(number), BOT) for number in range(3)]
    full = True
    take.fail = lambda letter: Unavailable("the disk is full", 0.05) if full and len(take.letters) == 1 else None
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: seen(stored[0]))
        await asyncio.sleep(0.2)
        assert not any(map(seen, stored[1:]))
        full = False
        await until(lambda: all(map(seen, stored)))
    assert take.numbers == [0, 1, 2]


@pytest.mark.parametrize("error", [InvalidInput("no sender"), RuntimeError("a bug")])
async def test_what_cannot_be_read_is_flagged_and_blocks_nothing(
    server: MailServer, take: Taken, tmp_path: Path, error: Exception
) -> None:
    bad, good = server.deliver(mail(1, b"poison secret-words"), BOT), server.deliver(mail(2), BOT)
    take.fail = lambda letter: error if b"poison" in letter.data else None
    with capture_logs() as logs:
        async with watched(tmp_path, take, account(server.imap.port)):
            await until(lambda: seen(good))
    assert take.numbers == [2]
    assert bad.flags == {r"\Seen", r"\Flagged"}
    assert any("cannot be read" in line["event"] for line in logs)
    assert "secret-words" not in str(logs)
    assert BOT not in str(logs)


async def test_a_mail_that_breaks_the_connection_is_flagged_in_the_end(
    server: MailServer, take: Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST_BREAKS", 2)
    bad, good = server.deliver(mail(1, b"poison"), BOT), server.deliver(mail(2), BOT)
    take.fail = lambda letter: ImapError("the connection was closed") if b"poison" in letter.data else None
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: seen(good))
    assert take.numbers == [2]
    assert bad.flags == {r"\Seen", r"\Flagged"}
    assert server.imap.connections == 3


async def test_read_mail_is_moved_where_a_folder_is_named(server: MailServer, take: Taken, tmp_path: Path) -> None:
    server.deliver(mail(1), BOT)
    other = server.inbox(BOT).add(mail(9), [r"\Deleted", r"\Seen"])
    async with watched(tmp_path, take, account(server.imap.port, processed="Erledigt & gelesen ü")):
        await until(lambda: server.inbox(BOT).mails == [other])
    folders = server.accounts[BOT].folders
    assert [stored.data for stored in folders["Erledigt &- gelesen &APw-"].mails] == [mail(1)]


async def test_without_move_only_that_mail_is_expunged(server: MailServer, take: Taken, tmp_path: Path) -> None:
    server.imap.capabilities.remove("MOVE")
    server.deliver(mail(1), BOT)
    other = server.inbox(BOT).add(mail(9), [r"\Deleted", r"\Seen"])
    async with watched(tmp_path, take, account(server.imap.port, processed="Done")):
        await until(lambda: server.inbox(BOT).mails == [other])
    assert len(server.accounts[BOT].folders["Done"].mails) == 1


async def test_a_folder_that_cannot_be_written_to_is_read_once(server: MailServer, take: Taken, tmp_path: Path) -> None:
    server.imap.read_only = True
    server.deliver(mail(1), BOT)
    with capture_logs() as logs:
        async with watched(tmp_path, take, account(server.imap.port)):
            await until(lambda: server.imap.idling == 1)
            server.deliver(mail(2), BOT)
            await until(lambda: take.numbers == [1, 2])
            await until(lambda: server.imap.idling == 1)
    assert take.numbers == [1, 2]
    assert any("cannot be marked" in line["event"] for line in logs)


async def test_it_polls_where_there_is_no_idle(server: MailServer, take: Taken, tmp_path: Path) -> None:
    server.imap.capabilities.remove("IDLE")
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: server.imap.commands.count("UID SEARCH") > 3)
        server.deliver(mail(1), BOT)
        await until(lambda: take.numbers == [1])
    assert "IDLE" not in server.imap.commands


async def test_it_polls_where_idle_tells_nothing(server: MailServer, take: Taken, tmp_path: Path) -> None:
    server.imap.silent = True
    with capture_logs() as logs:
        async with watched(tmp_path, take, account(server.imap.port), replace(QUICK, idle_seconds=0.1)):
            for number in (1, 2):
                await until(lambda: server.imap.idling == 1)
                server.deliver(mail(number), BOT)
                await until(lambda number=number: number in take.numbers)  # type: ignore[misc]
            idles = server.imap.commands.count("IDLE")
            server.deliver(mail(3), BOT)
            await until(lambda: take.numbers == [1, 2, 3])
            assert server.imap.commands.count("IDLE") == idles
    assert any("does not tell" in line["event"] for line in logs)


async def test_idle_is_issued_again_before_the_server_hangs_up(server: MailServer, take: Taken, tmp_path: Path) -> None:
    async with watched(tmp_path, take, account(server.imap.port), replace(QUICK, idle_seconds=0.05)):
        await until(lambda: server.imap.commands.count("IDLE") > 3)
    assert server.imap.connections == 1


async def test_mail_that_comes_between_two_commands_is_not_waited_for(server: MailServer, take: Taken, tmp_path: Path) -> None:
    """The server tells of it in the answer to the command that marks the one before, and not again."""
    first = server.deliver(mail(1), BOT)

    def deliver_more(letter: Letter) -> None:
        if letter.data == first.data:
            server.deliver(mail(2), BOT)

    take.fail = deliver_more
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: take.numbers == [1, 2], 5)


async def test_it_connects_again_after_the_connection_was_cut(server: MailServer, take: Taken, tmp_path: Path) -> None:
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: server.imap.idling == 1)
        server.imap.drop()
        server.deliver(mail(1), BOT)
        await until(lambda: take.numbers == [1])
    assert server.imap.connections == 2


async def test_a_connection_that_is_silently_dead_is_noticed(server: MailServer, take: Taken, tmp_path: Path) -> None:
    async with watched(tmp_path, take, account(server.imap.port), replace(QUICK, idle_seconds=0.1, timeout=0.3)):
        await until(lambda: server.imap.idling == 1)
        server.imap.frozen = True
        server.deliver(mail(1), BOT)
        await asyncio.sleep(0.6)
        server.imap.frozen = False
        await until(lambda: take.numbers == [1])
    assert server.imap.connections > 1


async def test_mail_is_taken_again_if_the_connection_was_cut_before_it_was_marked(
    server: MailServer, take: Taken, tmp_path: Path
) -> None:
    stored = server.deliver(mail(1), BOT)

    def cut(letter: Letter) -> None:
        if not take.letters:
            server.imap.drop()

    take.fail = cut
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: seen(stored))
    assert take.numbers == [1, 1], "the store drops the second by its id"


async def test_it_starts_over_where_the_uids_were_made_anew(server: MailServer, take: Taken, tmp_path: Path) -> None:
    server.inbox(BOT).uidnext = 5000
    server.deliver(mail(1), BOT)
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: server.imap.idling == 1)
    server.inbox(BOT).renew()
    new = server.deliver(mail(2), BOT)
    assert new.uid < 5000
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: seen(new))
        await until(lambda: server.imap.idling == 1)
    assert take.numbers == [1, 2]


async def test_gaps_between_uids_do_no_harm(server: MailServer, take: Taken, tmp_path: Path) -> None:
    async with watched(tmp_path, take, account(server.imap.port)):
        for number in range(3):
            server.inbox(BOT).uidnext += 1_000_000
            server.deliver(mail(number), BOT)
            await until(lambda number=number: number in take.numbers)  # type: ignore[misc]
    assert take.numbers == [0, 1, 2]


async def test_mail_that_people_have_read_is_taken_too_unless_it_was_there_before(
    server: MailServer, take: Taken, tmp_path: Path
) -> None:
    inbox = server.inbox(BOT)
    inbox.add(mail(1), [r"\Seen"])
    inbox.add(mail(2))
    inbox.add(mail(3), at=datetime.now(UTC) - timedelta(days=30))
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: server.imap.idling == 1)
        assert take.numbers == [2]
    inbox.add(mail(4), [r"\Seen"])
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: take.numbers == [2, 4])


async def test_what_somebody_marks_as_unread_again_stays_so(server: MailServer, take: Taken, tmp_path: Path) -> None:
    stored = server.deliver(mail(1), BOT)
    async with watched(tmp_path, take, account(server.imap.port), replace(QUICK, idle_seconds=0.05)):
        await until(lambda: seen(stored))
        stored.flags.clear()
        searches = server.imap.commands.count("UID SEARCH")
        await until(lambda: server.imap.commands.count("UID SEARCH") > searches + 4)
    assert not stored.flags
    assert take.numbers == [1]


async def test_large_mail_is_fetched_in_pieces_and_too_large_mail_in_part(
    server: MailServer, take: Taken, tmp_path: Path
) -> None:
    large, larger = mail(1, b"0123456789" * (CHUNK // 4)), mail(2, b"x" * (3 * CHUNK))
    server.deliver(large, BOT)
    server.deliver(larger, BOT)
    server.deliver(mail(3), BOT)
    async with watched(tmp_path, take, account(server.imap.port), replace(QUICK, max_mail=len(large))):
        await until(lambda: take.numbers == [1, 2, 3])
    assert take.letters[0] == Letter(account=take.letters[0].account, data=large)
    assert take.letters[1].data == larger[:BEGINNING]
    assert not take.letters[1].whole


async def test_mail_that_vanishes_before_it_is_fetched_is_no_problem(server: MailServer, take: Taken, tmp_path: Path) -> None:
    first, second = server.deliver(mail(1), BOT), server.deliver(mail(2), BOT)

    def vanish(letter: Letter) -> None:
        server.inbox(BOT).remove([second.uid])

    take.fail = vanish
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: seen(first))
        await until(lambda: server.imap.idling == 1)
    assert take.numbers == [1]


async def test_thousands_of_mails_are_no_problem(server: MailServer, take: Taken, tmp_path: Path) -> None:
    """The library recurses for each line of an answer."""
    for number in range(3000):
        server.inbox(BOT).add(mail(number), [r"\Seen"] if number else [])
    async with watched(tmp_path, take, account(server.imap.port)):
        await until(lambda: server.imap.idling == 1)
    assert take.numbers == [0]


async def test_a_folder_that_was_renamed_is_named_and_waited_for(server: MailServer, take: Taken, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with watched(tmp_path, take, replace(account(server.imap.port), folder="Renamed")):
            await until(lambda: any("no such folder" in str(line.get("error")) and line["folder"] == "Renamed" for line in logs))
            server.accounts[BOT].folders["Renamed"] = server.inbox(BOT)
            server.deliver(mail(1), BOT)
            await until(lambda: take.numbers == [1])


async def test_wrong_credentials_and_hosts_are_told_apart(server: MailServer) -> None:
    with pytest.raises(LoginRefused):
        await Connection.open(host(server.imap.port, password="wrong"))
    with pytest.raises(ImapError):
        await Connection.open(host(1))
    with pytest.raises(ImapError, match="STARTTLS"):
        await Connection.open(host(server.imap.port, tls="starttls"))


async def test_what_is_typed_cannot_end_a_command(server: MailServer) -> None:
    server.accounts[BOT].password = 'q"uo\\te'
    connection = await Connection.open(host(server.imap.port, password='q"uo\\te'))
    await connection.close()
    assert server.imap.commands[-1] == "LOGOUT"


async def test_dovecot_tells_of_mail_and_marks_it(dovecot: RealMail, take: Taken, tmp_path: Path) -> None:
    await asyncio.to_thread(dovecot.append, BOT, mail(1))
    async with watched(tmp_path, take, account(dovecot.imap_port)):
        await until(lambda: take.numbers == [1])
        await asyncio.to_thread(dovecot.append, BOT, mail(2, b"(((" * 1000))
        await until(lambda: take.numbers == [1, 2], 10)
        await asyncio.to_thread(dovecot.append, BOT, mail(3, b"x" * (2 * CHUNK)))
        await until(lambda: take.numbers == [1, 2, 3], 10)

        async def all_seen() -> bool:
            return not await asyncio.to_thread(dovecot.mails, BOT, "INBOX", "UNSEEN")

        await until(all_seen)
    assert take.letters[2].data == mail(3, b"x" * (2 * CHUNK))


async def test_dovecot_is_connected_to_again_after_a_restart_and_with_other_uids(
    dovecot: RealMail, take: Taken, tmp_path: Path
) -> None:
    await asyncio.to_thread(dovecot.append, BOT, mail(1))
    with capture_logs() as logs:
        async with watched(tmp_path, take, account(dovecot.imap_port)):
            await until(lambda: take.numbers == [1])
            await dovecot.restart_imap()
            await asyncio.to_thread(dovecot.append, BOT, mail(2))
            await until(lambda: take.numbers == [1, 2])
            await asyncio.sleep(1.1)  # UIDVALIDITY is a time in seconds
            await dovecot.restart_imap(before=lambda: dovecot.forget_uids(BOT))
            await asyncio.to_thread(dovecot.append, BOT, mail(3))
            await until(lambda: take.numbers == [1, 2, 3])
    assert any("starting over" in line["event"] for line in logs)


async def test_dovecot_moves_mail_to_a_new_folder(dovecot: RealMail, take: Taken, tmp_path: Path) -> None:
    await asyncio.to_thread(dovecot.append, BOT, mail(1))
    async with watched(tmp_path, take, account(dovecot.imap_port, processed="Gelesen ü")):

        async def moved() -> bool:
            return bool(await asyncio.to_thread(dovecot.mails, BOT, '"Gelesen &APw-"'))

        await until(moved)
    assert await asyncio.to_thread(dovecot.mails, BOT) == []


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_tls_is_spoken_and_certificates_are_verified(dovecot: RealMail, tls: str) -> None:
    port = dovecot.imaps_port if tls == "implicit" else dovecot.imap_port
    connection = await Connection.open(host(port, tls=tls, ca_file=dovecot.certificate))  # type: ignore[arg-type]
    await connection.select("INBOX")
    await connection.close()
    with pytest.raises(ImapError, match="self-signed"):
        await Connection.open(host(port, tls=tls))  # type: ignore[arg-type]


async def test_two_mailboxes_are_watched_side_by_side(server: MailServer, take: Taken, tmp_path: Path) -> None:
    other = replace(account(server.imap.port), address=ANN, imap=host(server.imap.port, user=ANN))
    server.deliver(mail(1), BOT)
    server.deliver(mail(2), ANN)
    async with watched(tmp_path, take, account(server.imap.port)), watched(tmp_path, take, other):
        await until(lambda: sorted(take.numbers) == [1, 2])
    assert {letter.account.address for letter in take.letters} == {BOT, ANN}
