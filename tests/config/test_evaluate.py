"""`frontdesk evaluate intents` on a small data set in the published form, and on files that are not in that form."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from frontdesk.config.cli.evaluate import app
from frontdesk.config.evaluation import intents as evaluation
from frontdesk.core.errors import ConfigurationError
from frontdesk.plugins.models.minilm import MiniLM

WORDS = {
    "balance": ["how much money do I have", "show my balance", "what is in my account", "account balance please"],
    "lost_card": ["I lost my card", "my card was stolen", "block my credit card", "somebody took my card"],
    "opening_hours": ["when do you open", "opening times", "are you open on sunday", "what time do you close"],
}
SMALL = {
    "train": [[text, intent] for intent, texts in WORDS.items() for text in texts],
    "test": [
        ["tell me my account balance", "balance"],
        ["my credit card is lost", "lost_card"],
        ["when does the shop close", "opening_hours"],
    ],
    "oos_test": [["who painted the last supper", "oos"], ["how do trees grow", "oos"]],
    "val": "not read",
}
CLINC = Path(__file__).parents[3] / "shared/data/clinc150/data_full.json"


def evaluated(folder: Path, content: Any, *options: str) -> Result:
    path = folder / "data.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return CliRunner().invoke(app, ["intents", "--data", str(path), "--plot", str(folder / "plots/confusion.png"), *options])


def test_prints_one_json_object(tmp_path: Path) -> None:
    result = evaluated(tmp_path, SMALL, "--json")
    assert result.exit_code == 0, result.output
    seen = json.loads(result.stdout)
    assert seen["accuracy"] == 1
    assert seen["auroc"] == 1
    assert seen["oos_recall"] == 1
    assert 0 <= seen["refused"] <= 1 / 3 + 1e-4
    assert 0 < seen["p50_ms"] < 1000
    sizes = {key: seen[key] for key in ("intents", "examples", "tested", "tested_out_of_scope")}
    assert sizes == {"intents": 3, "examples": 12, "tested": 3, "tested_out_of_scope": 2}
    assert (tmp_path / "plots/confusion.png").read_bytes().startswith(b"\x89PNG")


def test_prints_a_table(tmp_path: Path) -> None:
    result = evaluated(tmp_path, SMALL)
    assert result.exit_code == 0, result.output
    for measure in ("accuracy", "auroc", "oos_recall", "refused", "p50_ms"):
        assert measure in result.stdout


def test_without_out_of_scope_texts_two_measures_are_null_and_it_says_why(tmp_path: Path) -> None:
    result = evaluated(tmp_path, {key: SMALL[key] for key in ("train", "test")}, "--json")
    seen = json.loads(result.stdout)
    assert seen["auroc"] is None
    assert seen["oos_recall"] is None
    assert any("oos_test" in note for note in seen["notes"])
    assert "oos_test" in result.stderr


async def test_what_counts_is_what_the_router_does() -> None:
    words = {
        **WORDS,
        "Lost-Luggage": ["I lost my suitcase", "my bag did not arrive", "where is my luggage"],
        "17": ["hi", "hello"],
    }
    test = (("my luggage is lost", "Lost-Luggage"), ("hello there", "17"), ("/help", "balance"), ("   ", "balance"))
    data = evaluation.Dataset(
        train=tuple((text, intent) for intent, texts in words.items() for text in texts),
        test=test,
        out_of_scope=("who painted the last supper", "/nonsense"),
    )
    seen = await evaluation.evaluate(data, MiniLM())
    assert seen.confusions == {
        ("Lost-Luggage", "Lost-Luggage"): 1,
        ("17", "17"): 1,
        ("balance", evaluation.NONE): 2,
    }
    assert seen.accuracy == seen.accuracy_after_refusal == seen.refused == 0.5
    assert seen.oos_recall == 1


def test_fewer_examples_than_shots_are_all_used(tmp_path: Path) -> None:
    seen = json.loads(evaluated(tmp_path, SMALL, "--shots", "9", "--json").stdout)
    assert seen["examples"] == 12
    assert any("fewer than 9" in note for note in seen["notes"])


def test_without_matplotlib_it_names_the_extra_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = evaluated(tmp_path, SMALL, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["accuracy"] == 1
    assert 'pip install "frontdesk[reports]"' in result.stderr


FORM = "[text, intent]"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", ["is not JSON"]),
        ("[" * 100_000, ["is not JSON"]),
        ("[]", ["train and test"]),
        ({"test": SMALL["test"]}, ["train", "missing", FORM]),
        ({**SMALL, "train": []}, ["train", FORM]),
        ({**SMALL, "train": {"a": "b"}}, ["train", FORM]),
        ({**SMALL, "test": [["where", "a"], ["only text"]]}, ["test[1]", FORM]),
        ({**SMALL, "train": [["text", 7]]}, ["train[0]", FORM]),
        ({**SMALL, "oos_test": ["text"]}, ["oos_test[0]", FORM]),
    ],
    ids=range(9),
)
def test_a_malformed_file_is_named_with_key_and_form(tmp_path: Path, content: Any, named: list[str]) -> None:
    result = evaluated(tmp_path, content)
    assert result.exit_code == 2
    assert result.stdout == ""
    for words in ("data.json", *named):
        assert words in result.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["intents", "--data", str(tmp_path / "none.json")])
    assert result.exit_code == 2
    assert "none.json cannot be read" in result.stderr


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_bytes(b'{"train": "\xff"}')
    with pytest.raises(ConfigurationError, match="not JSON"):
        evaluation.read(tmp_path / "data.json")


def test_a_sample_depends_on_the_seed_alone() -> None:
    train = [(f"{intent} {number}", intent) for intent in "abc" for number in range(20)]
    first = evaluation.sample(train, 5, seed=1)
    assert first == evaluation.sample(train, 5, seed=1)
    assert first != evaluation.sample(train, 5, seed=2)
    assert Counter(intent for _, intent in first) == {"a": 5, "b": 5, "c": 5}
    assert evaluation.sample(train, None, seed=1) == tuple(train)


@pytest.mark.timeout(300)
@pytest.mark.skipif(not CLINC.exists(), reason="CLINC150 is not beside the checkout")
async def test_ten_examples_of_each_intent_of_clinc150() -> None:
    """A sixth of the test texts. docs/quality.md has the figures for all of them; the floors leave a sample its chance."""
    whole = evaluation.read(CLINC)
    part = evaluation.Dataset(train=whole.train, test=whole.test[::6], out_of_scope=whole.out_of_scope[::4])
    result = await evaluation.evaluate(part, MiniLM(remembered=0), shots=10, seed=0)
    assert result.auroc is not None
    assert result.oos_recall is not None
    assert result.accuracy >= 0.915
    assert result.auroc >= 0.965
    assert result.oos_recall >= 0.78
    assert result.refused <= 0.05


def test_the_new_text_of_mails_is_measured(tmp_path: Path) -> None:
    cases = [{"name": "top", "text": "Yes.\n\nOn Monday, Ann wrote:\n> Is it?", "reply": "Yes."}]
    wrong = [{"name": "never", "text": "Hello", "reply": "Goodbye"}]
    (tmp_path / "cases.json").write_text(json.dumps([*cases, *wrong]), encoding="utf-8")
    done = CliRunner().invoke(app, ["replies", str(tmp_path), "--json"])
    result = json.loads(done.stdout)
    assert (result["cases"], result["exact"], result["f1"], result["failed"]) == (2, 0.5, 0.5, ["cases: never"])
    assert "not exact: cases: never" in CliRunner().invoke(app, ["replies", str(tmp_path)]).stdout


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["replies", str(tmp_path)])
    assert done.exit_code == 2
    assert "there are no cases" in done.stderr
