"""Measures the message paths against bare aiohttp handlers in the same run: `make bench`, or `python -m benchmarks --help`.

Each server runs in a process of its own, the customers and the platform in this one. Runs are interleaved and repeated, and the
median counts, so that what else the machine does disturbs all alike.
"""

import asyncio
import json
import signal
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.idle import IDLE, Idle, measure_idle
from benchmarks.load import Load, Outcome, percentile
from benchmarks.paths import PATHS

SERVERS = {
    "floor": "bare aiohttp handler",
    "rival": "slack-bolt",
    "memory": "Frontdesk, memory",
    "sqlite": "Frontdesk, SQLite durable",
}
AHEAD = 5
"""So many messages each customer has written before the first is answered, when the order is looked at."""
SLOW = 2.0
"""Seconds that the platform takes for each call to the one slow chat."""


@dataclass(frozen=True)
class Order:
    """What becomes of messages that wait behind others. The p99 is that of all chats but the slow one, in ms."""

    path: str
    messages: int
    lost: int
    disordered: int
    p99_ms: float
    p99_beside_a_slow_chat_ms: float


@dataclass(frozen=True)
class Measured:
    """Times in ms, CPU in microseconds per message, memory in MB at its peak."""

    path: str
    server: str
    platform_ms: int
    replies_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    peak_mb: float
    lost: int
    disordered: int


async def drive(load: Load, path: str, server: str, *, connections: int) -> tuple[Outcome, dict[str, float]]:
    """What the load met with, and what the server used."""
    platform = await load.listen()
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "benchmarks.servers", path, server, str(platform), folder)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            port = json.loads(await process.stdout.readline())["port"]
            outcome = await load.run(port, connections=connections)
            process.send_signal(signal.SIGTERM)
            usage = json.loads(await process.stdout.readline())
        finally:
            process.kill()
            await process.wait()
    return outcome, usage


async def measure(path: str, server: str, *, platform_ms: int, messages: int, customers: int) -> Measured:
    load = Load(customers=customers, messages=messages, delay=platform_ms / 1000, path=path)
    outcome, usage = await drive(load, path, server, connections=customers)
    return Measured(
        path=path,
        server=server,
        platform_ms=platform_ms,
        replies_per_s=outcome.messages / outcome.seconds,
        p50_ms=percentile(outcome.latencies, 0.5) * 1000,
        p99_ms=percentile(outcome.latencies, 0.99) * 1000,
        cpu_us=usage["cpu_s"] / max(1, outcome.messages) * 1e6,
        peak_mb=usage["peak_mb"],
        lost=outcome.lost,
        disordered=outcome.disordered,
    )


async def measure_order(path: str, *, messages: int, customers: int) -> Order:
    """Each customer writes `AHEAD` messages before the first is answered; then the same beside a chat that takes long."""
    options = {"customers": customers, "messages": messages, "path": path, "ahead": AHEAD}
    even, _ = await drive(Load(**options), path, "sqlite", connections=customers)
    beside, _ = await drive(Load(**options, slow=SLOW), path, "sqlite", connections=customers)
    return Order(
        path=path,
        messages=even.messages + beside.messages,
        lost=even.lost,
        disordered=even.disordered + beside.disordered,
        p99_ms=percentile(even.latencies, 0.99) * 1000,
        p99_beside_a_slow_chat_ms=percentile(beside.latencies, 0.99) * 1000,
    )


def servers(path: str) -> list[str]:
    """The platform's own framework is measured where there is one for comparison."""
    return [server for server in SERVERS if server != "rival" or PATHS[path].rival is not None]


def median(runs: list[Measured]) -> Measured:
    def middle(name: str) -> float:
        return statistics.median(getattr(run, name) for run in runs)

    return Measured(
        path=runs[0].path,
        server=runs[0].server,
        platform_ms=runs[0].platform_ms,
        replies_per_s=middle("replies_per_s"),
        p50_ms=middle("p50_ms"),
        p99_ms=middle("p99_ms"),
        cpu_us=middle("cpu_us"),
        peak_mb=middle("peak_mb"),
        lost=sum(run.lost for run in runs),
        disordered=sum(run.disordered for run in runs),
    )


def table(results: list[Measured], platform_ms: int) -> Table:
    floor = next(result for result in results if result.server == "floor")
    title = PATHS[floor.path].title
    shown = Table(title=f"{title} to reply, the platform takes {platform_ms} ms a call (ratio to the floor in brackets)")
    for column in ("server", "replies/s", "p50 ms", "p99 ms", "CPU us/message", "peak MB", "lost", "out of order"):
        shown.add_column(column, justify="left" if column == "server" else "right")
    for result in results:
        shown.add_row(
            SERVERS[result.server],
            *(
                f"{getattr(result, name):,.{digits}f} ({getattr(result, name) / getattr(floor, name):.2f})"
                for name, digits in (("replies_per_s", 0), ("p50_ms", 1), ("p99_ms", 1), ("cpu_us", 0), ("peak_mb", 0))
            ),
            str(result.lost),
            str(result.disordered),
        )
    return shown


def order_table(orders: list[Order]) -> Table:
    shown = Table(title=f"{AHEAD} messages ahead in each chat, SQLite durable; then beside a chat with {SLOW:g} s a call")
    for column in ("path", "messages", "lost", "out of order", "p99 ms", "p99 ms beside the slow chat"):
        shown.add_column(column, justify="left" if column == "path" else "right")
    for order in orders:
        times = (f"{order.p99_ms:,.0f}", f"{order.p99_beside_a_slow_chat_ms:,.0f}")
        shown.add_row(PATHS[order.path].title, f"{order.messages:,}", str(order.lost), str(order.disordered), *times)
    return shown


def plot(measured: dict[tuple[str, int], list[Measured]], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(path for path, _ in measured))
    delays = list(dict.fromkeys(delay for _, delay in measured))
    size = (5 * len(delays), 3.6 * len(names))
    figure, axes = pyplot.subplots(len(names), len(delays), figsize=size, squeeze=False)
    for (path, delay), results in measured.items():
        axis, budget, floor = axes[names.index(path)][delays.index(delay)], PATHS[path].budgets[delay], results[0].replies_per_s
        bars = axis.bar(
            [SERVERS[r.server].replace(", ", "\n").replace(" handler", "\nhandler") for r in results],
            [r.replies_per_s / floor for r in results],
            width=0.6,
        )
        axis.bar_label(bars, labels=[f"{r.replies_per_s:,.0f}/s" for r in results], padding=2)
        axis.axhline(budget, linestyle="--", color="grey", label=f"budget {budget}")
        title = f"{PATHS[path].title}, platform takes {delay} ms"
        axis.set(title=title, ylabel="replies/s against the floor", ylim=(0, 1.45))
        axis.legend(loc="upper right", frameon=False)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80)


def idle_table(idle: Idle) -> Table:
    shown = Table(title=f"At rest, {IDLE:,} conversations")
    for column in (
        "start to ready s",
        "start to first answer s",
        "memory MB",
        "with idle conversations MB",
        "with idle sockets MB",
    ):
        shown.add_column(column, justify="right")
    shown.add_row(*(f"{value:,.2f}" if value < 10 else f"{value:,.0f}" for value in asdict(idle).values()))
    return shown


def main(  # noqa: PLR0917 - options of the command line
    path: Annotated[
        list[str] | None, typer.Option(help=f"Which paths: {', '.join(PATHS)}; or models. All paths by default.")
    ] = None,
    messages: Annotated[int, typer.Option(help="Messages of a run.")] = 20_000,
    customers: Annotated[int, typer.Option(help="Customers who write at the same time.")] = 128,
    repeats: Annotated[int, typer.Option(help="Runs of each server; the median counts.")] = 3,
    idle: Annotated[bool, typer.Option(help="Measure a process at rest, too.")] = True,
    folder: Annotated[Path, typer.Option(help="Where the table (bench.json) and the plot (bench.png) go.")] = Path("reports"),
) -> None:
    """Replies/s, latency, CPU and memory of each path, as ratios to a bare aiohttp handler; the order of messages; a process at
    rest."""
    console = Console()
    paths = list(path or PATHS)
    if "models" in paths:
        from benchmarks import models

        models.run(folder=folder)
        paths.remove("models")
        if not paths:
            return
    if unknown := [name for name in paths if name not in PATHS]:
        raise typer.BadParameter(f"no path is named {unknown[0]!r}: there are {', '.join(PATHS)}")
    measured: dict[tuple[str, int], list[Measured]] = {}
    runs_of_paths = sum(len(PATHS[name].budgets) * len(servers(name)) for name in paths) * repeats
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=runs_of_paths + len(paths) + idle)
        for name in paths:
            for delay in PATHS[name].budgets:
                runs: dict[str, list[Measured]] = {server: [] for server in servers(name)}
                for _ in range(repeats):
                    for server, of_server in runs.items():
                        progress.update(task, description=f"{PATHS[name].title}, {SERVERS[server]}, platform {delay} ms")
                        count = messages if not delay else messages // 4
                        run = measure(name, server, platform_ms=delay, messages=count, customers=customers)
                        of_server.append(asyncio.run(run))
                        progress.advance(task)
                measured[name, delay] = [median(of_server) for of_server in runs.values()]
        orders: list[Order] = []
        for name in paths:
            progress.update(task, description=f"{PATHS[name].title}, order")
            orders.append(asyncio.run(measure_order(name, messages=messages // 2, customers=customers)))
            progress.advance(task)
        progress.update(task, description="at rest")
        at_rest = asyncio.run(measure_idle()) if idle else None
    for (name, delay), results in measured.items():
        console.print(table(results, delay))
        ratio, budget = results[-1].replies_per_s / results[0].replies_per_s, PATHS[name].budgets[delay]
        verdict = "kept" if ratio >= budget else "missed"
        console.print(f"budget: at least {budget} of the floor, durable at commit: {ratio:.2f}, {verdict}\n")
    console.print(order_table(orders))
    figures: dict[str, object] = {
        name: [asdict(result) for (of, _), results in measured.items() if of == name for result in results] for name in paths
    }
    figures["order"] = [asdict(order) for order in orders]
    if at_rest is not None:
        console.print(idle_table(at_rest))
        figures["idle"] = asdict(at_rest)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(figures, indent=2))
    plot(measured, folder / "bench.png")
    console.print(f"written: {folder / 'bench.json'}, {folder / 'bench.png'}")


if __name__ == "__main__":
    typer.run(main)
