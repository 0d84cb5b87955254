"""The shop's orders in an SQLite file of their own."""

import csv
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from frontdesk.core.database import Database
from frontdesk.core.text import Text
from frontdesk.plugins.orders import policy
from frontdesk.plugins.orders.values import Line, Order, Return

SEEDS = Path(__file__).parent
_SAME = ("number", "status", "email", "customer", "address", "country", "carrier", "tracking", "shipping")

_SCHEMA = """
CREATE TABLE orders (
    number TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('processing', 'packed', 'shipped', 'delivered', 'cancelled', 'refunded')),
    email TEXT NOT NULL,
    customer TEXT NOT NULL,
    address TEXT NOT NULL,
    country TEXT NOT NULL,
    placed TEXT NOT NULL,
    shipped TEXT,
    delivered TEXT,
    changed TEXT,
    carrier TEXT NOT NULL,
    tracking TEXT NOT NULL,
    shipping INTEGER NOT NULL,
    express INTEGER NOT NULL
) STRICT;
CREATE TABLE lines (
    number TEXT NOT NULL REFERENCES orders,
    kind TEXT NOT NULL CHECK (kind IN ('item', 'gift_card', 'personalised')),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_zh TEXT NOT NULL
) STRICT;
CREATE INDEX lines_by_order ON lines (number);
CREATE TABLE returns (
    number TEXT PRIMARY KEY REFERENCES orders,
    reason TEXT NOT NULL,
    amount INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT;
"""


class Orders:
    """Reads and changes orders. A change is made only where policy allows it at that moment, so that repeating it, or two at
    once, does no harm; each method returns the order as it is afterwards, or None if there is none of that number.

    Raises `TransientError` while the database cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path, *, now: datetime | None = None) -> "Orders":
        """Opens the file. If it is new, it gets the demo shop's orders, with dates counted back from `now`."""
        return cls(await Database.open(path, lambda db: _create(db, now or datetime.now(UTC))))

    async def close(self) -> None:
        await self._database.close()

    async def get(self, number: str) -> Order | None:
        return await self._database.run(lambda db: _read(db, number))

    async def cancel(self, number: str, now: datetime) -> Order | None:
        def work(db: sqlite3.Connection) -> Order | None:
            order = _read(db, number)
            if order is None or policy.cancel_refused(order, now):
                return order
            sql = "UPDATE orders SET status = 'cancelled', changed = ? WHERE number = ? AND status = 'processing'"
            db.execute(sql, (now.isoformat(), number))
            return _read(db, number)

        return await self._database.run(work)

    async def change_address(self, number: str, address: str, now: datetime) -> Order | None:
        def work(db: sqlite3.Connection) -> Order | None:
            sql = "UPDATE orders SET address = ?, changed = ? WHERE number = ? AND status = 'processing'"
            db.execute(sql, (address, now.isoformat(), number))
            return _read(db, number)

        return await self._database.run(work)

    async def register_return(self, number: str, reason: str, amount: int, now: datetime) -> Order | None:
        """Registers the return of what can be returned. `amount` is what will be paid back, in euro cents."""

        def work(db: sqlite3.Connection) -> Order | None:
            order = _read(db, number)
            if order is None or policy.refund_refused(order, now):
                return order
            sql = "INSERT INTO returns (number, reason, amount, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
            db.execute(sql, (number, reason, amount, now.isoformat()))
            return _read(db, number)

        return await self._database.run(work)


def _create(db: sqlite3.Connection, now: datetime) -> None:
    for statement in _SCHEMA.split(";\n"):
        db.execute(statement)
    _seed(db, now)


def _seed(db: sqlite3.Connection, now: datetime) -> None:
    """The files give times in days before the first start, and amounts in euros."""
    for row in _rows("orders.csv"):
        for column in ("placed", "shipped", "delivered"):
            row[column] = (now - timedelta(days=float(row[column]))).isoformat() if row[column] else None
        row |= {"shipping": _cents(row["shipping"]), "express": int(row["express"])}
        row["changed"] = row["placed"] if row["status"] in ("cancelled", "refunded") else None
        _insert(db, "orders", row)
    for row in _rows("lines.csv"):
        _insert(db, "lines", row | {"price": _cents(row["price"]), "quantity": int(row["quantity"])})


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(row)
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def _cents(euros: str) -> int:
    return round(float(euros) * 100)


def _read(db: sqlite3.Connection, number: str) -> Order | None:
    row = db.execute("SELECT * FROM orders WHERE number = ?", (number,)).fetchone()
    if row is None:
        return None
    lines_sql = "SELECT kind, quantity, price, name, name_zh FROM lines WHERE number = ? ORDER BY rowid"
    returned = db.execute("SELECT reason, amount, at FROM returns WHERE number = ?", (number,)).fetchone()
    same: dict[str, Any] = {name: row[name] for name in _SAME}
    return Order(
        **same,
        shipped=_time(row["shipped"]),
        delivered=_time(row["delivered"]),
        changed=_time(row["changed"]),
        placed=datetime.fromisoformat(row["placed"]),
        express=bool(row["express"]),
        lines=tuple(
            Line(name=Text(en=name, zh=name_zh), kind=kind, quantity=quantity, price=price)
            for kind, quantity, price, name, name_zh in db.execute(lines_sql, (number,))
        ),
        returned=Return(reason=returned[0], amount=returned[1], at=datetime.fromisoformat(returned[2])) if returned else None,
    )


def _time(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
