import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from frontdesk.core.conversations import encode_state
from frontdesk.core.errors import UNCERTAIN, ConfigurationError, Unavailable
from frontdesk.core.storage.migrations import STEPS
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing import StoreContract, a_message
from frontdesk.core.testing.stores import a_conversation, a_reply


class TestSqliteStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteStore]:
        store = SqliteStore(tmp_path / "frontdesk.db")
        await store.open()
        yield store
        await store.close()

    @pytest.fixture
    def small_store(self, tmp_path: Path) -> Callable[[int], SqliteStore]:
        return lambda size: SqliteStore(tmp_path / "small.db", max_backlog=size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frontdesk.db"


async def test_what_was_unfinished_is_taken_up_after_a_restart(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.accept(a_message("done", conversation="a"))
    await store.accept(a_message("waiting", conversation="a"))
    claim = await anext(store.turns())
    state = await claim.commit(1, a_conversation("a", language="zh"), [a_reply("1", id="r1", conversation="a")])
    await store.close()

    again = SqliteStore(path)
    await again.open()
    try:
        claim = await anext(again.turns())
        assert claim.waiting(9)[0].text == "waiting"
        assert await claim.load() == state
        assert (await anext(again.deliveries())).outgoing.id == "r1"
        assert (await again.accept(a_message(id="new", conversation="a"))).duplicate is False
        assert [message.text for message in claim.waiting(9)] == ["waiting", "hello"]
    finally:
        await again.close()


async def test_a_message_that_was_begun_before_a_crash_counts_its_attempts(path: Path) -> None:
    for attempts in range(4):
        store = SqliteStore(path)
        await store.open()
        if attempts == 0:
            await store.accept(a_message("poison"))
        claim = await anext(store.turns())
        assert claim.attempts == max(0, attempts - 1)
        await claim.load()
        await store.close()  # as a crash would: the claim never ends


async def test_from_the_third_attempt_on_a_suspect_runs_without_other_suspects(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    for conversation in ("a", "b"):
        await store.accept(a_message(conversation=conversation))
    await store.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET attempts = 2")
    store = SqliteStore(path)
    await store.open()
    turns = store.turns()
    first = await anext(turns)
    second = asyncio.ensure_future(anext(turns))
    await asyncio.sleep(0.2)
    assert not second.done()
    await first.commit(1, a_conversation("a"), ())
    assert (await asyncio.wait_for(second, 60)).waiting(1)[0].conversation == "b"
    await store.close()


async def test_only_one_process_works_on_a_file_and_another_may_look(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    with pytest.raises(ConfigurationError, match=r"another process works on .*FRONTDESK_STORE__PATH"):
        await SqliteStore(path).open()
    looking = SqliteStore(path)
    await looking.open(work=False)
    assert await looking.dead() == []
    await looking.close()
    await store.close()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "frontdesk.yaml"
    path.write_text("web: {port: 8080}\n" * 100)
    with pytest.raises(ConfigurationError, match=r"FRONTDESK_STORE__PATH\) = .*frontdesk.yaml: file is not a database"):
        await SqliteStore(path).open()


async def test_a_dead_letter_replayed_by_another_process_is_noticed(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    turns = store.turns()
    await store.accept(a_message("poison"))
    await (await anext(turns)).bury(1, "it raised", a_conversation(), ())
    other = SqliteStore(path)
    await other.open(work=False)
    (dead,) = await other.dead()
    await other.replay(dead.seq)
    await other.close()
    assert (await asyncio.wait_for(anext(turns), 60)).waiting(1)[0].text == "poison"
    await store.close()


async def test_a_failing_disk_is_unavailable_and_recovers(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 20").fetchone())
    accepted, refused = [], 0
    for number in range(200):
        try:
            await store.accept(a_message("x" * 1000, id=f"m{number}"))
            accepted.append(f"m{number}")
        except Unavailable:
            refused += 1
    assert accepted
    assert refused
    await store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone())
    await store.accept(a_message(id="after"))
    kept = [entry.body.id for entry in await store.transcript("test:1", limit=1000)]
    assert kept == [*accepted, "after"]
    await store.close()


async def test_a_newer_schema_is_refused_with_the_fix(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(ConfigurationError, match=r"newer Frontdesk"):
        await SqliteStore(path).open()


async def test_a_cancelled_caller_loses_nothing(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    task = asyncio.ensure_future(store.accept(a_message("kept")))
    await asyncio.sleep(0)
    task.cancel()
    claim = await asyncio.wait_for(anext(store.turns()), 60)
    assert claim.waiting(1)[0].text == "kept"
    await store.close()


async def test_only_the_first_message_of_a_conversation_can_have_been_begun_by_a_process_that_died(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    for number in range(50):
        await store.accept(a_message(str(number)))
    await store.close()
    store = SqliteStore(path)
    await store.open()
    turns, state = store.turns(), a_conversation()
    for _ in range(50):
        claim = await anext(turns)
        await claim.load()
        state = await claim.commit(1, state, ())
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM entries WHERE attempts > 0").fetchone() == (1,)
    await store.close()


async def test_a_write_that_fails_takes_no_other_along(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.commit(a_conversation(), [a_reply("1", id="r1")])
    delivery = await anext(store.deliveries())
    results = await asyncio.gather(
        store.accept(a_message(id="m1")),
        delivery.bury("the platform's words: \ud83d"),
        store._writer.run(lambda db: db.execute("SELECT nonsense")),
        store.accept(a_message(id="m2")),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["Receipt", "NoneType", "Unavailable", "Receipt"]
    (dead,) = await store.dead()
    assert dead.error == "the platform's words: ?"
    await store.close()


async def test_replayed_letters_are_noticed_after_a_failing_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.core.storage.sqlite.WATCH_SECONDS", 0.05)
    store = SqliteStore(path)
    await store.open()
    turns = store.turns()
    await store.accept(a_message("poison"))
    await (await anext(turns)).bury(1, "it raised", a_conversation(), ())
    works, failures = store._data_version, [Unavailable("locked")]

    async def fails_once() -> int:
        if failures:
            raise failures.pop()
        return await works()

    monkeypatch.setattr(store, "_data_version", fails_once)
    await asyncio.sleep(0.2)
    assert not failures
    other = SqliteStore(path)
    await other.open(work=False)
    await other.replay((await other.dead())[0].seq)
    await other.close()
    assert (await asyncio.wait_for(anext(turns), 60)).waiting(1)[0].text == "poison"
    await store.close()


async def test_a_database_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.executescript(f"{STEPS[0]} PRAGMA user_version = 1;")
        state = a_conversation("test:1")
        values = ("test:1", 1, "bot", state.updated.timestamp(), encode_state(msgspec.structs.replace(state, version=1)))
        db.execute("INSERT INTO conversations (id, version, owner, updated, body) VALUES (?, ?, ?, ?, ?)", values)
    db.close()
    store = SqliteStore(path)
    await store.open()
    try:
        assert [found.id for found in await store.conversations(contact=("test", "test:1"))] == ["test:1"]
    finally:
        await store.close()


async def test_what_was_on_its_way_at_a_crash_and_must_not_be_sent_twice_is_a_dead_letter(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.commit(a_conversation(), [a_reply("1", id="r1"), a_reply("2", id="r2")])
    await (await anext(store.deliveries())).begin()
    await store.close()

    again = SqliteStore(path)
    await again.open()
    try:
        assert (await anext(again.deliveries())).outgoing.id == "r2"
        (dead,) = await again.dead()
        assert (dead.body.id, dead.error) == ("r1", UNCERTAIN)
    finally:
        await again.close()


async def test_a_look_from_outside_takes_nothing_from_a_running_store(path: Path) -> None:
    """The last to close a database removes its log. The other process must see that this one has the database open."""
    look = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM entries').fetchone())"

    async def seen() -> str:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", look, path, stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0].decode().strip()

    store = SqliteStore(path)
    await store.open()
    await store.accept(a_message("before"))
    assert await seen() == "1"
    await store.accept(a_message("after"))
    assert await seen() == "2"
    await store.close()


@pytest.mark.parametrize("count", [1, 5, 97, 300])
async def test_a_group_of_any_size_is_written_row_by_row_as_asked(path: Path, count: int) -> None:
    """Statements are filled up to a few sizes: nothing may be written twice, left out or mixed up by that."""
    store = SqliteStore(path)
    await store.open()
    try:
        messages = [a_message(f"text {n}", id=f"m{n}", conversation=f"c{n}") for n in range(count)]
        receipts = await asyncio.gather(*map(store.accept, (*messages, messages[-1])))
        assert [receipt.duplicate for receipt in receipts] == [False] * count + [True]
        turns, deliveries = store.turns(), store.deliveries()
        claims = [await anext(turns) for _ in range(count)]
        await asyncio.gather(
            *(
                claim.commit(1, a_conversation(f"c{n}"), [a_reply(f"reply {n}", id=f"r{n}", conversation=f"c{n}")])
                for n, claim in enumerate(claims)
            )
        )
        sent = [await anext(deliveries) for _ in range(count)]
        await asyncio.gather(*(delivery.sent(f"of {delivery.outgoing.id}") for delivery in sent))
        for n in range(count):
            entries = await store.transcript(f"c{n}")
            assert [(entry.body.id, entry.status, entry.platform_id) for entry in entries] == [
                (f"m{n}", "done", None),
                (f"r{n}", "sent", f"of r{n}"),
            ]
            state = await store.conversation(f"c{n}")
            assert state is not None
            assert state.version == 1
        health = await store.health()
        assert (health.inbox, health.outbox, health.dead) == (0, 0, 0)
    finally:
        await store.close()
