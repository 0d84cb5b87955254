import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from frontdesk.config.cli import kb
from frontdesk.plugins.replies.knowledge import KnowledgeBase

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `frontdesk kb ...` on an index of its own, without an embedder."""
    main = typer.Typer()
    main.add_typer(kb.app, name="kb")

    @main.callback()
    def callback(context: typer.Context) -> None:
        context.obj = kb.Knowledge(base=KnowledgeBase(tmp_path / "knowledge.db"))

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["kb", *map(str, arguments)], env={"COLUMNS": "200", "NO_COLOR": "1"})

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "help"
    path.mkdir()
    (path / "returns.md").write_text("---\ntitle: Return an item\nlanguage: en\n---\nSend items back within **30 days**.\n")
    (path / "hours.md").write_text("---\ntitle: Opening hours\nlanguage: en\ntags: [shops]\n---\nThe shop opens at ten.\n")
    return path


def test_add_indexes_and_sync_follows_changes(run: Run, folder: Path) -> None:
    added = run("add", folder)
    assert added.exit_code == 0
    assert "2 added, 0 changed, 0 removed, 0 unchanged; 2 passages" in added.output
    (folder / "hours.md").unlink()
    (folder / "broken.md").write_bytes(b"\xff")
    synced = run("sync")
    assert synced.exit_code == 0
    assert "0 added, 0 changed, 1 removed, 1 unchanged; 1 passages" in synced.output
    assert "broken.md: byte 0 is not UTF-8." in synced.output
    assert "Save it as UTF-8." in synced.output


def test_add_refuses_what_is_not_there_and_adds_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    result = run("add", folder, tmp_path / "nothing")
    assert result.exit_code == 1
    assert "no such file or folder" in result.output
    assert run("sync").exit_code == 1


def test_remove_takes_articles_out(run: Run, folder: Path) -> None:
    run("add", folder)
    assert "2 removed" in run("remove", folder).output
    assert list(folder.iterdir()), "the files stay"


def test_search_shows_the_answer_or_that_the_bot_abstains(run: Run, folder: Path) -> None:
    run("add", folder)
    result = run("search", "how do I return an item?")
    assert result.exit_code == 0
    assert result.output.index("Return an item") < result.output.index("Opening hours")
    assert "The bot would answer" in result.output
    assert "Send items back within 30 days." in result.output
    assert "The bot would abstain" in run("search", "tell me a joke").output


def test_search_as_json(run: Run, folder: Path) -> None:
    run("add", folder)
    found = json.loads(run("search", "return an item", "--json", "--limit", "1").stdout)
    assert (found["answers"], found["answer"]) == (True, "Send items back within **30 days**.")
    (passage,) = found["passages"]
    assert (passage["title"], passage["source"], passage["language"]) == ("Return an item", "returns.md", "en")
    assert 0.5 <= passage["evidence"] <= 1
    nothing = json.loads(run("search", "return an item", "--json", "--tag", "nothing").stdout)
    assert (nothing["answers"], nothing["answer"], nothing["passages"]) == (False, None, [])


def test_search_filters(run: Run, folder: Path) -> None:
    run("add", folder)
    output = run("search", "return an item", "--tag", "shops").output
    assert "Opening hours" in output
    assert "Return an item" not in output


def test_sync_without_sources_says_what_to_do(run: Run) -> None:
    result = run("sync")
    assert result.exit_code == 1
    assert "frontdesk kb add FOLDER" in result.output


def test_a_damaged_index_is_one_message_and_no_traceback(run: Run, tmp_path: Path) -> None:
    (tmp_path / "knowledge.db").write_bytes(b"no database" * 1000)
    result = run("search", "x")
    assert result.exit_code == 1
    assert "cannot be used" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [(), ("add",), ("sync",), ("search",), ("remove",)])
def test_help_teaches(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 200
