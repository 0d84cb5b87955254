"""What the channel remembers."""

from pathlib import Path

from frontdesk.channels.email.state import HOUR, Cursor, State


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_cursors_and_the_key_outlive_the_process(tmp_path: Path) -> None:
    state = await State.open(tmp_path / "email.db")
    key = await state.key()
    assert await state.cursor("a@shop.example", "INBOX") is None
    await state.set_cursor("a@shop.example", "INBOX", Cursor(7, 1))
    await state.set_cursor("a@shop.example", "INBOX", Cursor(7, 2))
    await state.set_cursor("a@shop.example", "Other", Cursor(8, 3))
    await state.close()
    state = await State.open(tmp_path / "email.db")
    assert await state.cursor("a@shop.example", "INBOX") == Cursor(7, 2)
    assert await state.key() == key
    assert len(key) == 32
    await state.close()
    assert (tmp_path / "email.db").stat().st_mode & 0o077 == 0


async def test_so_many_are_admitted_in_an_hour(tmp_path: Path) -> None:
    clock = Clock()
    state = await State.open(tmp_path / "email.db", clock=clock)
    assert [await state.admit("ann", id, 2) for id in ("1", "2", "2", "1")] == [0, 0, 0, 0]
    assert await state.admit("bob", "3", 2) == 0
    clock.now += HOUR / 2
    assert await state.admit("ann", "4", 2) == HOUR / 2
    assert await state.admit("ann", "2", 2) == 0, "it was admitted before"
    clock.now += HOUR / 2
    assert await state.admit("ann", "4", 2) == 0
    assert await state.admit("ann", "5", 3, within=3 * HOUR) == 2 * HOUR
    assert await state.admit("ann", "5", 4, within=3 * HOUR) == 0
    await state.close()
