"""The one thread that writes to SQLite. Requests that wait together share a transaction: group commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from frontdesk.core.errors import Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Merge = Callable[[sqlite3.Connection, Sequence[Work[Any]]], Sequence[Any] | None]

ENOUGH = 512
"""A group of so many requests is not made larger."""


class _Request(NamedTuple):
    work: Work[Any]
    then: Callable[[Any], None] | None
    future: asyncio.Future[Any]


_Result = tuple[_Request, Any, Exception | None]


class Writer:
    """Owns a connection on a thread of its own. A request is done when its group is committed.

    `merge` may do the work of a whole group at once; if it returns None, what it did is rolled back and the requests run one by
    one, each inside a savepoint, so that one that fails takes nothing along. If the commit fails, none of the group has happened
    and each gets `Unavailable`.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], merge: Merge) -> None:
        self._connect = connect
        self._merge = merge
        self._asked: list[_Request] = []
        self._requests: SimpleQueue[list[_Request] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="frontdesk-sqlite-writer", daemon=True)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed = False

    async def open(self) -> None:
        self._thread.start()
        await self._opened

    async def run(self, work: Work[T], then: Callable[[T], None] | None = None) -> T:
        """Runs `work` in a transaction and returns its result once that is durable.

        `then` is called with the result on the event loop before this returns, even if the caller was cancelled. Raises what
        `work` raises, or `Unavailable` where the database fails.
        """
        if self._closed:
            raise Unavailable("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._asked:
            self._loop.call_soon(self._hand_over)
        self._asked.append(_Request(work, then, future))
        return await future

    async def close(self) -> None:
        """Finishes what was asked for, then closes the connection."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._requests.put(None)
            await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        """What one turn of the event loop has asked for wakes the thread once."""
        asked, self._asked = self._asked, []
        if asked:
            self._requests.put(asked)

    def _work(self) -> None:
        try:
            connection = self._connect()
        except BaseException as error:
            self._loop.call_soon_threadsafe(self._opened.set_exception, error)
            return
        self._loop.call_soon_threadsafe(self._opened.set_result, None)
        more = True
        while more:
            group, more = self._next_group()
            if group:
                self._loop.call_soon_threadsafe(_resolve, self._commit(connection, group))
        connection.close()

    def _next_group(self) -> tuple[list[_Request], bool]:
        group: list[_Request] = []
        asked = self._requests.get()
        while asked is not None:
            group += asked
            if len(group) >= ENOUGH:
                return group, True
            try:
                asked = self._requests.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, connection: sqlite3.Connection, group: Sequence[_Request]) -> list[_Result]:
        results: list[_Result]
        try:
            connection.execute("BEGIN IMMEDIATE")
            merged = self._merged(connection, group)
            if merged is not None:
                results = [(request, value, None) for request, value in zip(group, merged, strict=True)]
            else:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                results = [_one(connection, request) for request in group]
            connection.execute("COMMIT")
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            failure = Unavailable(f"the database cannot write: {error}")
            return [(request, None, failure) for request in group]
        return results

    def _merged(self, connection: sqlite3.Connection, group: Sequence[_Request]) -> Sequence[Any] | None:
        """None too where it fails: which of the requests is to blame shows when they run one by one."""
        try:
            return self._merge(connection, [request.work for request in group])
        except Exception:
            return None


def _one(connection: sqlite3.Connection, request: _Request) -> _Result:
    connection.execute("SAVEPOINT request")
    try:
        result: _Result = (request, request.work(connection), None)
    except Exception as error:
        if not connection.in_transaction:  # SQLite has rolled back the whole group by itself
            raise
        connection.execute("ROLLBACK TO request")
        failure = Unavailable(f"the database cannot write: {error}") if isinstance(error, sqlite3.Error) else error
        result = (request, None, failure)
    connection.execute("RELEASE request")
    return result


def _resolve(results: Sequence[_Result]) -> None:
    for request, value, error in results:
        if error is None and request.then is not None:
            request.then(value)
        if request.future.done():
            continue
        if error is None:
            request.future.set_result(value)
        else:
            request.future.set_exception(error)
