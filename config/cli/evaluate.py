"""`frontdesk evaluate`: the quality of the bot's parts on labelled data."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from frontdesk.config.evaluation import intents as evaluation
from frontdesk.config.evaluation.confusion import plot
from frontdesk.config.logging import configure
from frontdesk.config.settings import LoggingOptions
from frontdesk.core.errors import ConfigurationError, MissingExtra

app = typer.Typer(no_args_is_help=True, add_completion=False)

SHARES = {"accuracy", "accuracy_after_refusal", "auroc", "oos_recall", "refused", "ambiguous"}
DEFAULT_PLOT = Path("reports/intents-confusion.png")


@app.callback()
def about() -> None:
    """Measure the quality of the bot's parts on labelled data."""


@app.command()
def intents(
    data: Annotated[
        Path,
        typer.Option(help="JSON object with train, test and, where there is one, oos_test: lists of [text, intent]."),
    ],
    shots: Annotated[int | None, typer.Option(min=1, help="Learn from so many examples of each intent only.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which examples --shots takes.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    plot_file: Annotated[Path, typer.Option("--plot", help="Where the confusion plot goes.")] = DEFAULT_PLOT,
) -> None:
    """Learn intents from labelled texts, and see how well new texts are told apart and refused.

    Each text goes through the router, as the first message of a conversation. accuracy: of the likeliest intent, over
    all in-scope test texts, before any is refused. accuracy_after_refusal: of what the router took; a refused text is
    wrong. auroc: how well the score tells in-scope from out-of-scope texts. oos_recall: the share of out-of-scope texts
    refused, at the threshold that the training examples gave. refused: the share of in-scope texts refused. ambiguous:
    the share where the router asked which of two or three intents was meant; the first one counts as taken. p50_ms: of
    matching one text, embedding included.
    """
    configure(LoggingOptions(level="warning", format="console"))
    screen = Console(stderr=True)
    try:
        dataset = evaluation.read(data)
    except ConfigurationError as error:
        screen.print(f"error: {error}", style="red", soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(2) from error
    result = _with_bars(screen, dataset, shots, seed)
    if as_json:
        typer.echo(json.dumps({**result.as_json(), "shots": shots, "seed": seed}))
    else:
        Console().print(_table(result))
    for note in result.notes:
        screen.print(f"note: {note}", soft_wrap=True, highlight=False, markup=False)
    try:
        plot(result, plot_file)
        screen.print(f"confusion plot: {plot_file}", soft_wrap=True, highlight=False, markup=False)
    except (MissingExtra, OSError) as error:
        screen.print(f"no confusion plot: {error}", soft_wrap=True, highlight=False, markup=False)


@app.command()
def replies(
    folder: Annotated[
        Path,
        typer.Argument(
            help="*.json files with lists of {name, text, reply}, or emails/NAME.txt beside replies/NAME.txt.",
            exists=True,
            file_okay=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """See how well the new text of e-mails is told from quotes and signatures.

    exact: the share of mails of which just the right words were taken, in order. f1: the mean over the mails of the
    harmonic mean of precision and recall of their words. slowest_s: seconds that the slowest mail took.

    Example: `frontdesk evaluate replies tests/channels/email/reply_text_cases`
    """
    try:
        from frontdesk.channels.email.evaluation import read_cases, score

        result = score(read_cases(folder))
    except (ImportError, ValueError) as error:
        problem = MissingExtra("the e-mail channel", "email") if isinstance(error, ImportError) else error
        Console(stderr=True).print(f"error: {problem}", style="red", soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(2) from error
    values = {"cases": result.cases, "exact": result.exact, "f1": result.f1, "slowest_s": result.slowest}
    if as_json:
        typer.echo(json.dumps({**values, "failed": result.failed}))
        return
    table = Table("measure", "value", title="New text of e-mails")
    table.columns[1].justify = "right"
    for name, value in values.items():
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else str(value))
    Console().print(table)
    for name in result.failed:
        typer.echo(f"not exact: {name}")


def _with_bars(screen: Console, dataset: evaluation.Dataset, shots: int | None, seed: int) -> evaluation.Evaluation:
    from frontdesk.plugins.models.minilm import MiniLM

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as bars:
        steps = {step: bars.add_task(step, total=None, start=False) for step in ("embedding", "fitting", "asking")}

        def progress(step: str, done: int, total: int) -> None:
            bars.start_task(steps[step])
            bars.update(steps[step], completed=done, total=total or None)
            if step == "asking" and done == 1:
                bars.update(steps["fitting"], completed=1, total=1)

        # Nothing remembered: each text is timed as a new one.
        return asyncio.run(evaluation.evaluate(dataset, MiniLM(remembered=0), shots=shots, seed=seed, progress=progress))


def _table(result: evaluation.Evaluation) -> Table:
    table = Table("measure", "value", title="Intents")
    table.columns[1].justify = "right"
    for name, value in result.as_json().items():
        if name == "notes":
            continue
        shown = "-" if value is None else f"{value:.4f}" if name in SHARES else f"{value:g}"
        table.add_row(name, shown)
    return table
