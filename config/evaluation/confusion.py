"""The confusion plot: the matrix of all intents, and by name the pairs that are confused most."""

from collections import Counter
from pathlib import Path

import numpy as np

from frontdesk.config.evaluation.intents import NONE, Evaluation
from frontdesk.core.errors import MissingExtra

NAMED = 30
"""With more intents than that, the names beside the matrix could not be read; the pairs name what matters."""

PAIRS = 20


def plot(result: Evaluation, path: Path) -> None:
    """Writes a PNG. Raises MissingExtra without matplotlib, OSError where the file cannot be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("The confusion plot", "reports") from error

    intents = sorted({intent for intent, _ in result.confusions})
    answers = [*sorted({answer for _, answer in result.confusions} - {NONE} | set(intents)), NONE]
    row, column = ({name: index for index, name in enumerate(names)} for names in (intents, answers))
    matrix = np.zeros((len(intents), len(answers)))
    for (intent, answer), count in result.confusions.items():
        matrix[row[intent], column[answer]] = count
    matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)

    figure = Figure(figsize=(17, 8.5), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    figure.suptitle(_title(result))
    image = left.imshow(matrix, cmap="viridis", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    figure.colorbar(image, ax=left, label="share of the intent's texts", shrink=0.8)
    left.set_xlabel(f"answered (rightmost: {NONE})")
    left.set_ylabel("meant")
    if len(intents) <= NAMED:
        left.set_xticks(range(len(answers)), answers, rotation=60, ha="right", fontsize=8)
        left.set_yticks(range(len(intents)), intents, fontsize=8)
    else:
        left.set_title(f"{len(intents)} intents in alphabetical order", fontsize=10)

    confused = Counter({pair: count for pair, count in result.confusions.items() if pair[0] != pair[1]})
    pairs = confused.most_common(PAIRS)
    right.barh([f"{intent} → {answer}" for (intent, answer), _ in pairs], [count for _, count in pairs], color="#c2410c")
    right.invert_yaxis()
    right.tick_params(axis="y", labelsize=9)
    right.xaxis.get_major_locator().set_params(integer=True)
    right.set_xlabel("texts")
    right.set_title("most confused (meant → answered)" if pairs else "nothing was confused", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _title(result: Evaluation) -> str:
    known = [f"accuracy {result.accuracy:.1%}", f"refused {result.refused:.1%}"]
    if result.auroc is not None and result.oos_recall is not None:
        known += [f"AUROC {result.auroc:.3f}", f"out of scope caught {result.oos_recall:.1%}"]
    return f"{result.intents} intents, {result.examples} examples: {', '.join(known)}"
