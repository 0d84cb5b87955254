"""Children that die, hang, take all memory or are left alone: each costs one defined answer, and none is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.worker import Worker
from frontdesk.plugins.models.worker.parent import Patience

from .conftest import SERVICES, Make
from .test_calls import SECONDS, pieces


async def again(worker: Worker) -> None:
    """Waits until it answers once more, and no longer than a minute."""

    async def answers() -> bool:
        try:
            return await pieces(worker, "echo", b"again") == [b"again"]
        except (ModelUnavailable, ModelFailed):
            return False

    await until(answers, 60)


def gone(pid: int) -> bool:
    """Neither running nor a zombie."""
    return not psutil.pid_exists(pid)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("killed", "was killed .SIGKILL., as the system does when memory runs out"),
        ("segfault", "crashed .SIGSEGV."),
        ("abort", "crashed .SIGABRT."),
        ("exit", "ended by itself .exit code 0."),
    ],
)
async def test_a_death_in_mid_answer_fails_the_calls_and_the_model_comes_back(ready: Worker, how: str, says: str) -> None:
    pid = ready.pid
    assert pid is not None
    beside = ready.call("waits", b"", seconds=SECONDS)
    await anext(beside)
    with pytest.raises(ModelFailed, match=says):
        await pieces(ready, "dies", how.encode())
    with pytest.raises(ModelFailed, match=says):
        await anext(beside)
    await again(ready)
    assert ready.pid != pid
    assert gone(pid)


async def test_while_it_comes_back_calls_are_refused_at_once_with_the_reason(make: Make) -> None:
    worker = make(loading="slowly")
    await worker.start()
    for step in range(3):
        (worker._settings.folder / f"go{step}").touch()
    await worker.loaded()
    (worker._settings.folder / "go2").unlink()
    with pytest.raises(ModelFailed):
        await pieces(worker, "dies", b"killed")
    with pytest.raises(ModelUnavailable, match="local:fake is loading: it is started again: its process was killed"):
        await pieces(worker, "echo", b"x")


async def test_an_idle_child_that_is_killed_comes_back(ready: Worker) -> None:
    assert ready.pid is not None
    killed = ready.pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: ready.pid not in {killed, None})
    await ready.loaded()
    await again(ready)
    assert gone(killed)


async def test_a_blocked_event_loop_is_a_hang(make: Make) -> None:
    worker = make(patience=Patience(silence=3.0))
    await worker.start()
    await worker.loaded()
    with pytest.raises(ModelFailed, match="no sign of life for 3 s"):
        await pieces(worker, "blocks")
    await again(worker)


async def test_a_stopped_process_is_a_hang(make: Make) -> None:
    worker = make(patience=Patience(silence=3.0))
    await worker.start()
    await worker.loaded()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(ModelFailed, match="no sign of life"):
        await pieces(worker, "echo", b"x" * 10_000_000)
    await again(worker)


async def test_a_call_that_does_not_let_itself_be_cancelled_ends_with_its_child(make: Make) -> None:
    worker = make(patience=Patience(cancelling=1.0))
    await worker.start()
    await worker.loaded()
    pid = worker.pid
    answer = worker.call("takes_no_notice", b"", seconds=SECONDS)
    await anext(answer)
    await answer.aclose()
    await until(lambda: worker.pid not in {pid, None}, 60)
    await again(worker)


async def test_a_call_beyond_the_memory_limit_fails_alone(make: Make) -> None:
    worker = make(memory=600 * 2**20)
    await worker.start()
    await worker.loaded()
    pid = worker.pid
    with pytest.raises(ModelFailed, match="MemoryError"):
        await pieces(worker, "allocates", b"%d" % (1 << 30))
    assert await pieces(worker, "allocates", b"1000000") == [b"1000000"]
    assert worker.pid == pid


@pytest.mark.parametrize(
    "junk", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x04junk", b"\x00\x00\x00\x01\xc0"], ids=["too long", "no msgpack", "no frame"]
)
async def test_rubbish_on_the_connection_costs_the_child(ready: Worker, junk: bytes) -> None:
    pid = ready.pid
    with pytest.raises(ModelFailed, match="sent rubbish"):
        await pieces(ready, "corrupts", junk.hex().encode())
    await again(ready)
    assert ready.pid != pid


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_for_all_processes_of_a_service_leaves_the_model_to_its_parent(
    ready: Worker, which: signal.Signals
) -> None:
    pid = ready.pid
    assert pid is not None
    os.kill(pid, which)
    assert await pieces(ready, "echo", b"still here") == [b"still", b"here"]
    assert ready.pid == pid
    await ready.stop()
    assert gone(pid)


async def test_a_child_that_ignores_sigterm_is_killed(ready: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.plugins.models.worker.process.STOP_SECONDS", 0.2)
    monkeypatch.setattr("frontdesk.plugins.models.worker.process.TERMINATE_SECONDS", 0.2)
    pid = ready.pid
    assert pid is not None
    answer = ready.call("ignores_sigterm", b"", seconds=SECONDS)
    await anext(answer)
    await ready.stop()
    assert gone(pid)
    with pytest.raises(ModelFailed, match="was stopped"):
        await anext(answer)


async def test_an_orderly_stop_lets_the_service_close(ready: Worker, tmp_path: Path) -> None:
    pid = ready.pid
    assert pid is not None
    await ready.stop()
    assert (tmp_path / "closed").read_text() == "yes"
    assert gone(pid)
    assert ready.state.status == "stopped"
    with pytest.raises(ModelUnavailable, match="it has been stopped"):
        await pieces(ready, "echo", b"x")


async def test_what_a_child_has_started_ends_with_it(ready: Worker) -> None:
    answer = ready.call("grandchild", b"", seconds=SECONDS)
    grandchild = int(await anext(answer))
    assert ready.pid is not None
    os.kill(ready.pid, signal.SIGKILL)
    with pytest.raises(ModelFailed):
        await anext(answer)
    await until(lambda: gone(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE)


PARENT = """
import asyncio, sys
import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
sys.path.insert(0, sys.argv[1])
from fake_services import FakeSettings
from frontdesk.plugins.models.worker import Worker

async def main():
    worker = Worker("fake_services:Fake", FakeSettings(folder=sys.argv[2]), name="local:fake", load_seconds=60)
    await worker.start()
    await worker.loaded()
    print(worker.pid, flush=True)
    async for _ in worker.call(sys.argv[3], b"", seconds=3600):
        print("begun", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("doing", ["waits", "blocks"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_child_ends_with_its_parent(tmp_path: Path, doing: str, how: signal.Signals) -> None:
    if sys.platform != "linux" and doing == "blocks":
        pytest.skip("only Linux ends a child whose event loop is blocked")
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(SERVICES), str(tmp_path), doing),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    try:
        pid = int(await parent.stdout.readline())
        assert await parent.stdout.readline() == b"begun\n"
        parent.send_signal(how)
        await parent.wait()
        await until(lambda: gone(pid), 60)
    finally:
        if parent.returncode is None:
            parent.kill()
            await parent.wait()


def test_a_worker_that_nobody_stops_ends_with_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SERVICES)
    from fake_services import FakeSettings

    async def main() -> int:
        worker = Worker("fake_services:Fake", FakeSettings(folder=tmp_path), name="local:fake", load_seconds=60)
        await worker.start()
        await worker.loaded()
        assert worker.pid is not None
        return worker.pid

    assert gone(asyncio.run(main()))


async def test_deaths_again_and_again_leave_neither_processes_nor_descriptors(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontdesk.plugins.models.worker.parent.backoff", lambda *_args, **_options: 0.01)
    worker = make()
    await worker.start()
    await again(worker)
    me = psutil.Process()
    before = me.num_fds(), len(me.children(recursive=True))
    for _ in range(8):
        with pytest.raises(ModelFailed):
            await pieces(worker, "dies", b"killed")
        await again(worker)
    assert (me.num_fds(), len(me.children(recursive=True))) == before


def test_no_secret_is_in_the_arguments_or_the_environment_of_a_child(tmp_path: Path) -> None:
    code = PARENT.replace("FakeSettings(folder=sys.argv[2])", 'FakeSettings(folder=sys.argv[2], key="s3cret-key")').replace(
        'print("begun", flush=True)', "sys.stdout.buffer.write(_); sys.stdout.flush()"
    )
    environment = {**os.environ, "FRONTDESK_CHANNELS__TELEGRAM__TOKEN": "t0ken", "HF_HOME": "/models"}

    def run(method: str) -> bytes:
        command = [sys.executable, "-c", code, str(SERVICES), str(tmp_path), method]
        return subprocess.run(command, env=environment, capture_output=True, check=True, timeout=100).stdout

    assert b"s3cret-key" in run("secret")
    seen = run("environment")
    assert b"HF_HOME=/models" in seen
    assert b"s3cret-key" not in seen
    assert b"t0ken" not in seen
