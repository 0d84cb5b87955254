"""Measures the message path against a bare aiohttp handler in the same run: `make bench`, or `python -m benchmarks --help`.

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
from benchmarks.load import Load, percentile

SERVERS = {"floor": "bare aiohttp handler", "memory": "Frontdesk, memory", "sqlite": "Frontdesk, SQLite durable"}
BUDGETS = {0: 0.6, 50: 0.85}
"""Replies/s of the durable engine against the floor, by the platform's answer time in ms."""


@dataclass(frozen=True)
class Measured:
    """Times in ms, CPU in microseconds per message, memory in MB at its peak."""

    server: str
    platform_ms: int
    replies_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    peak_mb: float
    lost: int
    disordered: int


async def measure(server: str, *, platform_ms: int, messages: int, customers: int) -> Measured:
    load = Load(customers=customers, messages=messages, delay=platform_ms / 1000)
    platform = await load.listen()
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "benchmarks.servers", server, str(platform), folder)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            port = json.loads(await process.stdout.readline())["port"]
            outcome = await load.run(port, connections=customers)
            process.send_signal(signal.SIGTERM)
            usage = json.loads(await process.stdout.readline())
        finally:
            process.kill()
            await process.wait()
    return Measured(
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


def median(runs: list[Measured]) -> Measured:
    def middle(name: str) -> float:
        return statistics.median(getattr(run, name) for run in runs)

    return Measured(
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
    shown = Table(title=f"Webhook to reply, the platform takes {platform_ms} ms a call (ratio to the floor in brackets)")
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


def plot(by_delay: dict[int, list[Measured]], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(by_delay), figsize=(5 * len(by_delay), 3.6), squeeze=False)
    for axis, (delay, results) in zip(axes[0], by_delay.items(), strict=True):
        floor = results[0].replies_per_s
        bars = axis.bar(
            [SERVERS[r.server].replace(", ", "\n") for r in results], [r.replies_per_s / floor for r in results], width=0.6
        )
        axis.bar_label(bars, labels=[f"{r.replies_per_s:,.0f}/s" for r in results], padding=2)
        axis.axhline(BUDGETS[delay], linestyle="--", color="grey", label=f"budget {BUDGETS[delay]}")
        axis.set(title=f"platform takes {delay} ms", ylabel="replies/s against the floor", ylim=(0, 1.25))
        axis.legend(loc="upper right", frameon=False)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)


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


def main(
    messages: Annotated[int, typer.Option(help="Messages of a run.")] = 20_000,
    customers: Annotated[int, typer.Option(help="Customers who write at the same time.")] = 128,
    repeats: Annotated[int, typer.Option(help="Runs of each server; the median counts.")] = 3,
    folder: Annotated[Path, typer.Option(help="Where the table (bench.json) and the plot (bench.png) go.")] = Path("reports"),
) -> None:
    """Replies/s, latency, CPU and memory of the webhook path, each as a ratio to a bare aiohttp handler."""
    console = Console()
    by_delay: dict[int, list[Measured]] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=len(BUDGETS) * repeats * len(SERVERS) + 1)
        for delay in BUDGETS:
            runs: dict[str, list[Measured]] = {server: [] for server in SERVERS}
            for _ in range(repeats):
                for server, name in SERVERS.items():
                    progress.update(task, description=f"{name}, platform {delay} ms")
                    count = messages if not delay else messages // 4
                    run = measure(server, platform_ms=delay, messages=count, customers=customers)
                    runs[server].append(asyncio.run(run))
                    progress.advance(task)
            by_delay[delay] = [median(of_server) for of_server in runs.values()]
        progress.update(task, description="at rest")
        idle = asyncio.run(measure_idle())
    for delay, results in by_delay.items():
        console.print(table(results, delay))
        ratio = results[-1].replies_per_s / results[0].replies_per_s
        verdict = "kept" if ratio >= BUDGETS[delay] else "missed"
        console.print(f"budget: at least {BUDGETS[delay]} of the floor, durable at commit: {ratio:.2f}, {verdict}\n")
    console.print(idle_table(idle))
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"webhook": [asdict(result) for results in by_delay.values() for result in results], "idle": asdict(idle)}
    (folder / "bench.json").write_text(json.dumps(figures, indent=2))
    plot(by_delay, folder / "bench.png")
    console.print(f"written: {folder / 'bench.json'}, {folder / 'bench.png'}")


if __name__ == "__main__":
    typer.run(main)
