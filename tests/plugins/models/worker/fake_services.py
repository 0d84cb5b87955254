"""Services without a model, which misbehave. Imported by name in the child: no fixture and no pytest here."""

# To block the event loop is what some are for.
# ruff: noqa: ASYNC110, ASYNC220, ASYNC221, ASYNC240, ASYNC251

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from frontdesk.core.errors import ConfigurationError, InvalidInput, ModelUnavailable, PromptRejected
from frontdesk.plugins.models.worker import Report


class FakeSettings(BaseModel):
    key: SecretStr = SecretStr("")
    folder: Path = Path()
    greeting: str = "hello"
    loading: str = ""


class Fake:
    def __init__(self, settings: FakeSettings) -> None:
        self.settings = settings
        self.cancelled = 0

    async def load(self, report: Report) -> dict[str, Any]:
        how = self.settings.loading
        if how:
            await getattr(self, f"load_{how}")(report)
        return {"context": 512, "greeting": self.settings.greeting}

    async def load_slowly(self, report: Report) -> None:
        """In steps: each waits until a file says go."""
        for step in range(3):
            await asyncio.to_thread(report, f"step {step}", step / 3)
            while not (self.settings.folder / f"go{step}").exists():
                await asyncio.sleep(0.01)

    async def load_reporting_wildly(self, report: Report) -> None:
        for number in range(100_000):
            report("downloading", number / 100_000)

    async def load_never(self, report: Report) -> None:
        report("reading the weights", None)
        await asyncio.Event().wait()

    async def load_blocking(self, report: Report) -> None:
        time.sleep(3600)

    async def load_wrong(self, report: Report) -> None:
        raise ConfigurationError("models.chat.model = nowhere: there is no such folder")

    async def load_without_a_package(self, report: Report) -> None:
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401

    async def load_dying(self, report: Report) -> None:
        print("libnumbers.so: cannot be opened")
        os._exit(3)

    async def load_exiting(self, report: Report) -> None:
        sys.exit("bye")

    async def load_at_the_third_try(self, report: Report) -> None:
        tries = self.settings.folder / "tries"
        tries.write_text(tries.read_text() + "." if tries.exists() else ".")
        if len(tries.read_text()) < 3:
            raise OSError("the hub is not reached")

    async def load_when_there(self, report: Report) -> None:
        if not (self.settings.folder / "weights").exists():
            raise OSError("the weights are not there")

    async def call(self, method: str, argument: bytes) -> AsyncIterator[bytes]:
        answer = getattr(self, method, None)
        if answer is None:
            raise PromptRejected(f"{method} is unknown")
        async for piece in answer(argument):
            yield piece

    async def close(self) -> None:
        (self.settings.folder / "closed").write_text("yes")

    async def echo(self, argument: bytes) -> AsyncIterator[bytes]:
        for byte in argument.split():
            yield byte

    async def secret(self, argument: bytes) -> AsyncIterator[bytes]:
        yield self.settings.key.get_secret_value().encode()

    async def environment(self, argument: bytes) -> AsyncIterator[bytes]:
        yield Path("/proc/self/environ").read_bytes() + Path("/proc/self/cmdline").read_bytes()

    async def waits(self, argument: bytes) -> AsyncIterator[bytes]:
        yield b"begun"
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1

    async def was_cancelled(self, argument: bytes) -> AsyncIterator[bytes]:
        yield str(self.cancelled).encode()

    async def takes_no_notice(self, argument: bytes) -> AsyncIterator[bytes]:
        yield b"begun"
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    async def silent(self, argument: bytes) -> AsyncIterator[bytes]:
        return
        yield

    async def dies(self, argument: bytes) -> AsyncIterator[bytes]:
        yield b"begun"
        match argument:
            case b"killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"segfault":
                ctypes.string_at(0)
            case b"abort":
                os.abort()
            case b"exit":
                os._exit(0)

    async def breaks(self, argument: bytes) -> AsyncIterator[bytes]:
        yield b"begun"
        match argument:
            case b"sys.exit":
                sys.exit(1)
            case b"interrupt":
                raise KeyboardInterrupt
            case b"words":
                raise RuntimeError("the customer said: my card is 4111")
            case b"invalid":
                raise InvalidInput("this is no recording", status=415)
            case b"busy":
                raise ModelUnavailable("no room", retry_after=7.0)
            case b"memory":
                bytearray(1 << 40)
            case b"text":
                yield "text"  # type: ignore[misc]

    async def allocates(self, argument: bytes) -> AsyncIterator[bytes]:
        held = bytearray(int(argument))
        yield str(len(held)).encode()

    async def holds(self, argument: bytes) -> AsyncIterator[bytes]:
        held = b"x" * int(argument)
        yield str(len(held)).encode()
        await asyncio.Event().wait()

    async def blocks(self, argument: bytes) -> AsyncIterator[bytes]:
        yield b"begun"
        time.sleep(3600)

    async def ignores_sigterm(self, argument: bytes) -> AsyncIterator[bytes]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        yield b"begun"
        time.sleep(3600)

    async def floods(self, argument: bytes) -> AsyncIterator[bytes]:
        while True:
            yield argument

    async def huge(self, argument: bytes) -> AsyncIterator[bytes]:
        yield bytes(int(argument))

    async def prints(self, argument: bytes) -> AsyncIterator[bytes]:
        print("rubbish on stdout", flush=True)
        os.write(1, b"\x00\x00\x00\x04junk")
        subprocess.run(["echo", "from a program"], check=True)
        yield b"answered"

    async def prints_much(self, argument: bytes) -> AsyncIterator[bytes]:
        for _ in range(200):
            os.write(2, b"x" * 10_000 + b"\n" * 100)
        yield b"answered"

    async def corrupts(self, argument: bytes) -> AsyncIterator[bytes]:
        """Writes to the connection itself, as a library with a wild file descriptor would."""
        os.write(int(sys.argv[1]), bytes.fromhex(argument.decode()))
        await asyncio.Event().wait()
        yield b""

    async def grandchild(self, argument: bytes) -> AsyncIterator[bytes]:
        child = subprocess.Popen(["sleep", "3600"])
        yield str(child.pid).encode()
        await asyncio.Event().wait()
