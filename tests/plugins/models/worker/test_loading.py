"""How a model in a child process comes up, or does not."""

import asyncio
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from frontdesk.core.errors import ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.worker import Worker
from frontdesk.plugins.models.worker.parent import Patience

from .conftest import Make
from .test_calls import pieces

HASTY = Patience(between=3600.0, later=3600.0)


async def failed(worker: Worker) -> str:
    """What `loaded` says."""
    with pytest.raises(ModelUnavailable) as error:
        await asyncio.wait_for(worker.loaded(), 60)
    assert worker.state.status == "failed"
    return str(error.value)


async def test_before_the_start_there_is_nothing_to_wait_for(make: Make) -> None:
    worker = make()
    assert worker.state.status == "stopped"
    assert worker.facts == {}
    with pytest.raises(ModelUnavailable, match="it has not been started"):
        await worker.loaded()


async def test_progress_of_loading_is_seen_and_calls_are_refused_until_it_is_ready(make: Make, tmp_path: Path) -> None:
    worker = make(loading="slowly")
    await worker.start()
    assert worker.state.status == "loading"
    for step in range(3):
        await until(lambda step=step: worker.state.detail == f"step {step}", 60)
        assert worker.state.progress == pytest.approx(step / 3)
        with pytest.raises(ModelUnavailable, match=f"local:fake is loading: step {step}"):
            await pieces(worker, "echo", b"x")
        (tmp_path / f"go{step}").touch()
    await worker.loaded()
    assert worker.state.status == "ready"
    assert worker.facts == {"context": 512, "greeting": "hello"}
    assert await pieces(worker, "echo", b"x") == [b"x"]


async def test_the_start_returns_before_there_is_a_process(make: Make) -> None:
    worker = make()
    await worker.start()
    assert worker.pid is None
    await worker.loaded()
    assert worker.pid is not None


async def test_starting_twice_starts_one(make: Make) -> None:
    worker = make()
    await worker.start()
    await worker.start()
    await worker.loaded()
    pid = worker.pid
    await worker.start()
    await worker.loaded()
    assert worker.pid == pid


async def test_it_can_be_stopped_and_started_again(ready: Worker) -> None:
    pid = ready.pid
    await ready.stop()
    await ready.stop()
    await ready.start()
    await ready.loaded()
    assert ready.pid not in {pid, None}


async def test_reports_without_end_are_thinned_out(make: Make) -> None:
    worker = make(loading="reporting_wildly")
    await worker.start()
    await worker.loaded()
    assert worker.state.detail == ""


@pytest.mark.parametrize("loading", ["never", "blocking"])
async def test_loading_without_progress_ends_at_its_limit(make: Make, loading: str) -> None:
    worker = make(loading=loading, load_seconds=2.0, patience=HASTY)
    await worker.start()
    assert "it was not loaded in 2 s" in await failed(worker)


async def test_a_stop_does_not_wait_for_the_loading(make: Make) -> None:
    worker = make(loading="never")
    await worker.start()
    await until(lambda: worker.state.detail == "reading the weights", 60)
    waiting = asyncio.create_task(worker.loaded())
    await asyncio.sleep(0)
    await worker.stop()
    with pytest.raises(ModelUnavailable, match="it has been stopped"):
        await waiting


async def test_a_stop_just_after_the_start_leaves_nothing(make: Make) -> None:
    before = len(psutil.Process().children()), psutil.Process().num_fds()
    for pause in (0, 0, 0.0001, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2):
        worker = make()
        await worker.start()
        await asyncio.sleep(pause)
        await worker.stop()
        assert worker.state.status == "stopped"
        assert worker.pid is None
    assert (len(psutil.Process().children()), psutil.Process().num_fds()) == before


@pytest.mark.parametrize(
    ("loading", "says"),
    [
        ("wrong", "models.chat.model = nowhere: there is no such folder"),
        ("without_a_package", "ModuleNotFoundError: No module named 'no_such_package'"),
    ],
)
async def test_what_can_never_be_loaded_is_tried_once(make: Make, loading: str, says: str) -> None:
    worker = make(loading=loading)
    await worker.start()
    assert says in await failed(worker)
    assert worker.pid is None


async def test_a_service_that_is_not_there_fails_for_good(make: Make) -> None:
    worker = make("no_such_package.service:Nobody")
    await worker.start()
    assert "No module named 'no_such_package'" in await failed(worker)


@pytest.mark.parametrize(
    ("loading", "says"),
    [
        ("dying", "its process ended by itself (exit code 3): libnumbers.so: cannot be opened"),
        ("exiting", "SystemExit: bye"),
    ],
)
async def test_loading_that_fails_is_told_with_the_reason(make: Make, loading: str, says: str) -> None:
    worker = make(loading=loading, patience=HASTY)
    await worker.start()
    reason = await failed(worker)
    assert says in reason
    assert "tried again" not in reason  # the words of a command that ends now
    assert "it is tried again in 3600 s" in worker.state.detail


async def test_loading_that_fails_for_a_while_is_tried_again(make: Make, tmp_path: Path) -> None:
    worker = make(loading="at_the_third_try", patience=Patience(between=0.01))
    await worker.start()
    await until(lambda: worker.state.status == "ready", 60)
    assert (tmp_path / "tries").read_text() == "..."


async def test_a_model_comes_back_when_what_it_needs_is_there(make: Make, tmp_path: Path) -> None:
    worker = make(loading="when_there", patience=Patience(later=0.2))
    await worker.start()
    assert "the weights are not there" in await failed(worker)
    (tmp_path / "weights").touch()
    await until(lambda: worker.state.status == "ready", 60)


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
async def test_settings_that_the_child_cannot_read_are_named_without_their_values(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make(key="s3cret")
    monkeypatch.setattr(worker, "_settings", worker._settings.model_copy(update={"greeting": 5, "key": ["s3cret"]}))
    await worker.start()
    reason = await failed(worker)
    assert "settings are not understood: key, greeting" in reason
    assert "s3cret" not in reason


async def test_what_a_child_prints_is_logged_for_debugging_only_and_cut(make: Make) -> None:
    with capture_logs() as logs:
        worker = make(loading="dying", patience=HASTY)
        await worker.start()
        await failed(worker)
        loud = make()
        await loud.start()
        await loud.loaded()
        await pieces(loud, "prints_much")
        with pytest.raises(Exception, match="it broke"):
            await pieces(loud, "breaks", b"words")
        await loud.stop()
    printed = [entry for entry in logs if entry["event"] == "printed by the model's process"]
    assert {entry["log_level"] for entry in printed} == {"debug"}
    assert "libnumbers.so: cannot be opened" in [entry["line"] for entry in printed]
    assert max(len(entry["line"]) for entry in printed) <= 300
    assert any("fake_services.py" in entry["line"] for entry in printed)
    assert "4111" not in str([entry["line"] for entry in printed if "raise RuntimeError" not in entry["line"]])
