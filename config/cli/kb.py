"""`frontdesk kb`: the knowledge base from the command line."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from frontdesk.plugins.replies.knowledge import Hit, IndexUnusable, KnowledgeBase, Problem, SyncReport
from frontdesk.plugins.replies.knowledge.values import OnProgress, Progress

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="""The articles that the bot answers from.

    Articles are Markdown files (front matter with title, language, tags, questions and url is optional), HTML pages, and
    lists of questions and answers as CSV (columns question, answer) or JSON. A typical start:

        frontdesk kb add docs/help                 remember a folder and index it
        frontdesk kb search "how do I return it"   see what the bot would say
        frontdesk kb sync                          after articles have changed
    """,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge:
    """What the commands work on: set as the context's object by whoever mounts `app`."""

    base: KnowledgeBase
    configured: Sequence[Path] = ()
    """Sources named in the configuration, beside those that were added."""


Sources = Annotated[list[Path], typer.Argument(help="Files or folders with articles.", show_default=False)]


@app.command()
def add(context: typer.Context, paths: Sources) -> None:
    """Remember files or folders, and index what is in them.

    They stay where they are. From then on every sync looks at them again.
    """
    if missing := [path for path in paths if not path.exists()]:
        _fail(f"{', '.join(map(str, missing))}: no such file or folder. Nothing was added.")
    knowledge = _knowledge(context)
    _run(knowledge.base.add(paths))
    _print_report(sync_with_bars(knowledge.base, knowledge.configured))


@app.command()
def remove(context: typer.Context, paths: Sources) -> None:
    """Forget files or folders that were added, and take their articles out of the index. The files stay."""
    knowledge = _knowledge(context)
    _run(knowledge.base.remove(paths))
    _print_report(sync_with_bars(knowledge.base, knowledge.configured))


@app.command()
def sync(context: typer.Context) -> None:
    """Bring the index up to date with all added and configured sources.

    Only what has changed is read and embedded. A file that cannot be used is named with the way to put it right, and does
    not stop the others.
    """
    knowledge = _knowledge(context)
    if not (sources := [*_run(knowledge.base.sources()), *knowledge.configured]):
        _fail("There are no sources yet. Add one: frontdesk kb add FOLDER")
    report = sync_with_bars(knowledge.base, knowledge.configured)
    for source in dict.fromkeys(sources):
        _err().print(f"[dim]source[/] {source}", highlight=False)
    _print_report(report)


@app.command()
def search(  # noqa: PLR0917  (typer reads its options from the parameters)
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="A question, as a customer would ask it.", show_default=False)],
    language: Annotated[list[str] | None, typer.Option("--language", "-l", help="Only articles in it.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Only articles that have it.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="How many passages.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the best passages for a question, and whether the bot would answer or abstain.

    Evidence is the estimated probability that the passage answers the question; below the threshold the bot abstains.
    """
    base = _knowledge(context).base

    async def found() -> tuple[list[Hit], str | None]:
        hits = await base.search(query, languages=language, tags=tag or (), limit=limit)
        answers = bool(hits) and hits[0].evidence >= base.threshold
        return hits, (await base.quote(query, hits[0])).text if answers else None

    hits, quotation = _run(found())
    if as_json:
        typer.echo(_as_json(query, hits, threshold=base.threshold, quotation=quotation))
        return
    console = Console()
    if not hits:
        console.print("The index has no passages that could be searched.")
    else:
        console.print(_table(hits))
    if quotation is not None:
        console.print(Panel(Markdown(quotation), title="The bot would answer", title_align="left", border_style="green"))
    else:
        console.print(f"[yellow]The bot would abstain[/]: no evidence of {base.threshold:.2f} or more.")


def sync_with_bars(base: KnowledgeBase, configured: Iterable[Path] = ()) -> SyncReport:
    """Syncs, with progress bars on standard error."""
    with bars() as tell:
        return _run(base.sync(configured, on_progress=tell))


@contextmanager
def bars() -> Iterator[OnProgress]:
    """Progress bars for one sync; gone when it is over."""
    columns = TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bars(*columns, console=_err(), transient=True) as display:
        tasks = {stage: display.add_task(stage.capitalize(), total=None, visible=False) for stage in ("reading", "embedding")}

        def tell(progress: Progress) -> None:
            display.update(tasks[progress.stage], completed=progress.done, total=progress.total, visible=True)

        yield tell


def _knowledge(context: typer.Context) -> Knowledge:
    knowledge = context.find_object(Knowledge)
    if knowledge is None:
        raise RuntimeError("mount `kb.app` below a callback that sets `context.obj` to a `Knowledge`")
    return knowledge


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except IndexUnusable as error:
        _fail(str(error))
        raise


def _fail(message: str) -> None:
    _err().print(message, style="red", highlight=False, markup=False)
    raise typer.Exit(1)


def _err() -> Console:
    return Console(stderr=True)


def _print_report(report: SyncReport) -> None:
    for problem in report.problems:
        _print_problem(problem)
    typer.echo(
        f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged; "
        f"{report.passages} passages, {report.embedded} texts embedded"
        + (f"; {len(report.problems)} left out, see above" if report.problems else "")
    )
    if report.not_embedded:
        words = "found by their words alone until the embedding model answers: the bot tries again, and so does another sync"
        _err().print(f"{report.not_embedded} texts are {words}.", style="yellow", highlight=False, markup=False)


def _print_problem(problem: Problem) -> None:
    _err().print(f"{problem.path}: {problem.reason}.\n    {problem.fix}", style="yellow", highlight=False, markup=False)


def _table(hits: Sequence[Hit]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Evidence", justify="right")
    table.add_column("Score", justify="right")
    table.add_column("Meaning", justify="right")
    table.add_column("Words", justify="right")
    for name in ("Article", "Language", "Source"):
        table.add_column(name, overflow="fold")
    for hit in hits:
        passage = hit.passage
        numbers = (f"{number:.2f}" for number in (hit.evidence, hit.score, hit.dense, hit.lexical))
        table.add_row(*numbers, " › ".join((passage.title, *passage.headings)), passage.language, passage.source)
    return table


def _as_json(query: str, hits: Sequence[Hit], *, threshold: float, quotation: str | None) -> str:
    passages = [
        {
            "title": hit.passage.title,
            "headings": hit.passage.headings,
            "language": hit.passage.language,
            "tags": hit.passage.tags,
            "source": hit.passage.source,
            "text": hit.passage.text,
            "score": hit.score,
            "dense": hit.dense,
            "lexical": hit.lexical,
            "evidence": hit.evidence,
        }
        for hit in hits
    ]
    result = {"query": query, "threshold": threshold, "answers": quotation is not None, "answer": quotation, "passages": passages}
    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode()
