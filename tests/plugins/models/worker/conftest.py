from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from frontdesk.plugins.models.worker import Worker
from frontdesk.plugins.models.worker.parent import Patience

SERVICES = Path(__file__).parent

PATIENT = Patience()
Make = Callable[..., Worker]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes workers, not started, of `Fake` with the settings given; stops them at the end."""
    monkeypatch.syspath_prepend(SERVICES)
    from fake_services import FakeSettings

    made: list[Worker] = []

    def make(
        service: str = "fake_services:Fake",
        *,
        load_seconds: float = 60.0,
        max_calls: int = 256,
        memory: int | None = None,
        patience: Patience = PATIENT,
        **settings: object,
    ) -> Worker:
        worker = Worker(
            service,
            FakeSettings(folder=tmp_path, **settings),
            name="local:fake",
            load_seconds=load_seconds,
            max_calls=max_calls,
            memory=memory,
            patience=patience,
        )
        made.append(worker)
        return worker

    yield make
    for worker in made:
        await worker.stop()


@pytest.fixture
async def ready(make: Make) -> Worker:
    worker = make()
    await worker.start()
    await worker.loaded()
    return worker
