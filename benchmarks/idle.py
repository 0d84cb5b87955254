"""What a process costs that has nothing to do: start, memory, and memory with many idle conversations."""

import asyncio
import json
import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import psutil

from benchmarks.load import Load

IDLE = 10_000
AT_ONCE = 32


@dataclass(frozen=True)
class Idle:
    """Seconds and MB. The last two are for `IDLE` conversations: each has been answered once, then each holds a socket open."""

    ready_s: float
    first_answer_s: float
    memory_mb: float
    conversations_mb: float
    sockets_mb: float


async def measure_idle() -> Idle:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    load = Load(customers=IDLE, messages=IDLE)
    first = Load(customers=1, messages=1)
    platform, first_platform = await load.listen(), await first.listen()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = await _server(first_platform, folder)
        try:
            port = await _port(process)
            ready = time.perf_counter() - started
            await first.run(port, connections=1)
            answered = time.perf_counter() - started
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
        process = await _server(platform, folder + "/idle")
        try:
            port = await _port(process)
            at_start = _memory(process.pid)
            await load.run(port, connections=AT_ONCE)
            with_conversations = _memory(process.pid)
            with_sockets = await _with_sockets(port, process.pid)
        finally:
            process.kill()
            await process.wait()
    return Idle(ready, answered, at_start, with_conversations, with_sockets)


async def _with_sockets(port: int, pid: int) -> float:
    """The memory while `IDLE` browsers hold a socket, each in a conversation of its own."""
    address = f"http://127.0.0.1:{port}/chat"
    free = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def connect() -> aiohttp.ClientWebSocketResponse:
            async with free:
                async with session.post(f"{address}/sessions") as response:
                    token = (await response.json())["token"]
                socket = await session.ws_connect(f"{address}/socket")
                await socket.send_json({"type": "hello", "token": token})
                await socket.send_json({"type": "message", "id": str(uuid4()), "text": "1"})
                while (await socket.receive_json()).get("type") != "ack":
                    pass
                return socket

        sockets = await asyncio.gather(*(connect() for _ in range(IDLE)))
        await asyncio.sleep(1)
        memory = _memory(pid)
        await asyncio.gather(*(socket.close() for socket in sockets))
    return memory


async def _server(platform: int, folder: str) -> asyncio.subprocess.Process:
    os.makedirs(folder, exist_ok=True)
    command = (sys.executable, "-m", "benchmarks.servers", "webhook", "sqlite", str(platform), folder)
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    port: int = json.loads(await process.stdout.readline())["port"]
    return port


def _memory(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / 1024**2)
