import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from frontdesk.core.errors import TransientError
from frontdesk.plugins.orders.database import Orders, _rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
async def orders(tmp_path: Path) -> AsyncIterator[Orders]:
    orders = await Orders.open(tmp_path / "data" / "orders.sqlite3", now=NOW)
    yield orders
    await orders.close()


def test_the_demo_shop_has_orders_of_every_kind() -> None:
    rows = list(_rows("orders.csv"))
    assert len(rows) >= 25
    assert min(Counter(row["status"] for row in rows).values()) >= 2
    assert {row["status"] for row in rows} == {"processing", "packed", "shipped", "delivered", "cancelled", "refunded"}
    assert any(row["status"] == "delivered" and float(row["delivered"]) >= 40 for row in rows)
    assert all(row["tracking"] and row["carrier"] for row in rows if row["status"] in ("shipped", "delivered"))
    lines = list(_rows("lines.csv"))
    assert {line["number"] for line in lines} == {row["number"] for row in rows}
    assert {line["kind"] for line in lines} == {"item", "gift_card", "personalised"}


async def test_dates_count_back_from_the_first_start(orders: Orders) -> None:
    order = await orders.get("LL-10401")
    assert order is not None
    assert order.delivered == NOW - timedelta(days=40)
    assert order.total == 64_00


async def test_an_existing_file_keeps_its_orders(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite3"
    first = await Orders.open(path, now=NOW)
    await first.cancel("LL-10423", NOW)
    await first.close()
    again = await Orders.open(path, now=NOW + timedelta(days=300))
    order = await again.get("LL-10423")
    await again.close()
    assert order is not None
    assert (order.status, order.changed) == ("cancelled", NOW)


async def test_an_unknown_order_is_none(orders: Orders) -> None:
    assert await orders.get("LL-99999") is None
    assert await orders.cancel("LL-99999", NOW) is None
    assert await orders.change_address("LL-99999", "Nowhere 1", NOW) is None
    assert await orders.register_return("LL-99999", "other", 1, NOW) is None


async def test_concurrent_cancels_change_the_order_once(orders: Orders) -> None:
    times = [NOW + timedelta(seconds=second) for second in range(20)]
    results = await asyncio.gather(*(orders.cancel("LL-10423", time) for time in times))
    assert [order and (order.status, order.changed) for order in results] == [("cancelled", NOW)] * 20


async def test_two_processes_do_not_both_change_an_order(orders: Orders, tmp_path: Path) -> None:
    other = await Orders.open(tmp_path / "data" / "orders.sqlite3", now=NOW)
    moves = [database.change_address("LL-10424", "Nieuwegracht 4, Utrecht", NOW) for database in (orders, other) * 5]
    cancels = [database.cancel("LL-10424", NOW) for database in (orders, other) * 5]
    await asyncio.gather(*moves, *cancels)
    order = await other.change_address("LL-10424", "Too late 1", NOW)
    await other.close()
    assert order is not None
    assert (order.status, order.address == "Too late 1") == ("cancelled", False)


@pytest.mark.parametrize("number", ["LL-10421", "LL-10416", "LL-10405", "LL-10430", "LL-10404", "LL-10427"])
async def test_only_an_order_in_processing_is_cancelled(orders: Orders, number: str) -> None:
    before = await orders.get(number)
    assert await orders.cancel(number, NOW) == before


@pytest.mark.parametrize(
    "number", ["LL-10423", "LL-10421", "LL-10416", "LL-10401", "LL-10430", "LL-10404", "LL-10410", "LL-10412"]
)
async def test_only_a_recent_delivery_is_returned(orders: Orders, number: str) -> None:
    before = await orders.get(number)
    assert await orders.register_return(number, "other", 10_00, NOW) == before


async def test_a_return_is_registered_once(orders: Orders) -> None:
    first = await orders.register_return("LL-10408", "other", 30_90, NOW)
    second = await orders.register_return("LL-10408", "damaged", 99_00, NOW + timedelta(days=1))
    assert first == second
    assert first is not None
    assert first.returned is not None
    assert (first.returned.amount, first.returned.reason) == (30_90, "other")


async def test_a_locked_file_is_tried_again_later(orders: Orders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    await orders._database.run(lambda db: None)
    await orders._database._call(lambda: orders._database._connection.execute("PRAGMA busy_timeout = 20"))
    locker = sqlite3.connect(tmp_path / "data" / "orders.sqlite3", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TransientError):
        await orders.cancel("LL-10423", NOW)
    locker.execute("ROLLBACK")
    locker.close()
    order = await orders.cancel("LL-10423", NOW)
    assert order is not None
    assert order.status == "cancelled"
