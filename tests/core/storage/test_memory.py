from collections.abc import AsyncIterator, Callable

import pytest

from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[MemoryStore]:
        store = MemoryStore()
        await store.open()
        yield store
        await store.close()

    @pytest.fixture
    def small_store(self) -> Callable[[int], MemoryStore]:
        return lambda size: MemoryStore(max_backlog=size)
