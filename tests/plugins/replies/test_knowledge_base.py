import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.plugins.replies.knowledge import IndexUnusable, KnowledgeBase, Progress, Scoring
from frontdesk.plugins.replies.knowledge import base as base_module
from frontdesk.plugins.replies.knowledge.ranking import Calibration

Write = Callable[[str, str | bytes], Path]

RETURNS = (
    "---\ntitle: Return an item\nlanguage: en\ntags: [returns]\nurl: https://shop.example/returns\n---\n"
    "Send it back in 30 days.\n"
)
OPENING = "---\ntitle: Opening hours\nlanguage: en\ntags: [shops]\n---\nThe shop opens at ten.\n"
RETURNS_ZH = "---\ntitle: 退货\nlanguage: zh\ntags: [returns]\n---\n收货后三十天内可以退货。\n"


@pytest.fixture
def base(tmp_path: Path, embedder: Any) -> KnowledgeBase:
    return KnowledgeBase(tmp_path / "index" / "knowledge.db", embedder=embedder, languages=("en", "zh"))


@pytest.fixture
def shop(write: Write) -> None:
    write("returns.md", RETURNS)
    write("hours.md", OPENING)
    write("zh/returns.md", RETURNS_ZH)


def move_away(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


async def titles(base: KnowledgeBase, question: str, **filters: Any) -> list[str]:
    return [hit.passage.title for hit in await base.search(question, **filters)]


@pytest.mark.usefixtures("shop")
async def test_sync_adds_changes_and_removes_only_what_changed(
    base: KnowledgeBase, folder: Path, write: Write, embedder: Any
) -> None:
    first = await base.sync([folder])
    assert (first.added, first.changed, first.removed, first.unchanged, first.passages) == (3, 0, 0, 0, 3)
    assert first.embedded == len(embedder.texts) == 4, "the model does not know Chinese"

    again = await base.sync([folder])
    assert (again.added, again.changed, again.removed, again.unchanged, again.embedded) == (0, 0, 0, 3, 0)

    write("returns.md", RETURNS.replace("30 days", "60 days"))
    (folder / "hours.md").unlink()
    write("new.md", "# Tea\n\nGreen tea.\n")
    third = await base.sync([folder])
    assert (third.added, third.changed, third.removed, third.unchanged, third.passages) == (1, 1, 1, 1, 3)
    assert third.embedded == 3, "the title of the changed article keeps its vector"
    assert await titles(base, "opening hours") != []
    assert "Opening hours" not in await titles(base, "opening hours")
    assert "60 days" in (await base.search("return an item"))[0].passage.text


@pytest.mark.usefixtures("shop")
async def test_another_embedder_embeds_everything_again(base: KnowledgeBase, folder: Path, tmp_path: Path, embedder: Any) -> None:
    await base.sync([folder])
    other = type(embedder)("another")
    moved = KnowledgeBase(tmp_path / "index" / "knowledge.db", embedder=other)
    assert (await moved.search("return an item"))[0].dense == 0, "vectors of another embedder are never compared"
    report = await moved.sync([folder])
    assert (report.changed, report.embedded) == (0, 4)
    assert (await moved.search("return an item"))[0].dense > 0.9
    with sqlite3.connect(tmp_path / "index" / "knowledge.db") as db:
        assert db.execute("SELECT DISTINCT embedder, length(vector) FROM vectors").fetchall() == [("another", 4 * 256)]


@pytest.mark.usefixtures("shop")
async def test_a_sync_that_was_cut_off_goes_on_where_it_was(
    base: KnowledgeBase, folder: Path, tmp_path: Path, embedder: Any
) -> None:
    class Stopped(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.stage == "embedding":
            raise Stopped

    with pytest.raises(Stopped):
        await base.sync([folder], on_progress=stop)
    assert await base.search("return an item") == []
    report = await base.sync([folder])
    assert (report.added, report.embedded) == (3, 0)


@pytest.mark.usefixtures("shop")
async def test_malformed_files_are_named_and_the_rest_is_indexed(base: KnowledgeBase, folder: Path, write: Write) -> None:
    bad = [
        write("latin.md", "caf\xe9".encode("latin-1")),
        write("front.md", "---\ntitle: [\n---\nText"),
        write("empty.md", ""),
        write("huge.md", b"x" * 20 * 1024 * 1024),
        write("columns.csv", "a,b\n1,2\n"),
        write("form.json", '{"a": 1}'),
        write("rows.csv", "question,answer\nWhy?,\n"),
    ]
    report = await base.sync([folder])
    assert sorted(problem.path for problem in report.problems) == sorted(map(str, bad))
    assert all(problem.reason and problem.fix for problem in report.problems)
    assert await titles(base, "return an item", languages=["en"], limit=1) == ["Return an item"]


@pytest.mark.usefixtures("shop")
async def test_a_file_that_breaks_and_a_source_that_vanishes_keep_their_articles(
    base: KnowledgeBase, folder: Path, write: Write
) -> None:
    await base.sync([folder])
    write("returns.md", b"\xff\xfe broken")
    report = await base.sync([folder])
    assert (report.removed, report.unchanged, len(report.problems)) == (0, 3, 1)
    move_away(folder)
    report = await base.sync([folder])
    assert (report.removed, report.unchanged) == (0, 3)
    assert "no such file" in report.problems[0].reason
    report = await base.sync([])
    assert (report.removed, report.passages) == (3, 0)


@pytest.mark.usefixtures("shop")
async def test_added_sources_are_remembered_until_they_are_removed(base: KnowledgeBase, folder: Path) -> None:
    await base.add([folder, folder / "hours.md"])
    assert await base.sources() == [folder, folder / "hours.md"]
    assert (await base.sync()).added == 3, "a file that two sources lead to is one document"
    await base.remove([folder])
    report = await base.sync()
    assert (report.removed, report.passages) == (2, 1)


@pytest.mark.usefixtures("shop")
async def test_metadata_filters_before_ranking(base: KnowledgeBase, folder: Path) -> None:
    await base.sync([folder])
    assert await titles(base, "return an item", tags=["shops"]) == ["Opening hours"]
    assert await titles(base, "return an item", languages=["zh"]) == ["退货"]
    assert await titles(base, "return an item", languages=["fr"]) == []
    assert await titles(base, "return an item", limit=1) == ["Return an item"]


@pytest.mark.usefixtures("shop")
async def test_chinese_is_found_by_its_words(base: KnowledgeBase, folder: Path) -> None:
    await base.sync([folder])
    hit = (await base.search("我想退货"))[0]
    assert (hit.passage.title, hit.dense) == ("退货", 0)
    assert hit.lexical > 0.3


@pytest.mark.usefixtures("shop")
async def test_without_an_embedder_words_alone_find_articles(folder: Path, tmp_path: Path) -> None:
    base = KnowledgeBase(tmp_path / "knowledge.db")
    report = await base.sync([folder])
    assert (report.added, report.embedded) == (3, 0)
    assert await titles(base, "when does the shop open?", limit=1) == ["Opening hours"]


@pytest.mark.usefixtures("shop")
async def test_an_answer_quotes_and_names_its_source(base: KnowledgeBase, folder: Path) -> None:
    await base.sync([folder])
    answer = await base.answer("return an item", languages=["en"])
    assert answer is not None
    assert (answer.text, answer.title, answer.source) == (
        "Send it back in 30 days.",
        "Return an item",
        "https://shop.example/returns",
    )
    assert answer.language == "en"
    assert answer.evidence >= base.threshold


@pytest.mark.usefixtures("shop")
async def test_it_abstains_below_the_threshold(base: KnowledgeBase, folder: Path, tmp_path: Path, embedder: Any) -> None:
    await base.sync([folder])
    assert await base.answer("quantum chromodynamics") is None
    strict = KnowledgeBase(tmp_path / "index" / "knowledge.db", embedder=embedder, scoring=Scoring(threshold=0.999))
    assert await strict.answer("return an item") is None


async def test_the_source_has_the_anchor_of_the_heading(base: KnowledgeBase, folder: Path, write: Write) -> None:
    filler = "Cups and plates are packed with care. " * 10
    write("guide.md", f"# Guide\n\n{filler}\n\n## Iron pans\n\nRub oil into iron pans.\n\n## Tables\n\n{filler}")
    await base.sync([folder])
    answer = await base.quote("iron pans oil", (await base.search("iron pans oil"))[0])
    assert (answer.text, answer.source) == ("Rub oil into iron pans.", "guide.md#iron-pans")


async def test_articles_without_a_language_get_the_likeliest(base: KnowledgeBase, folder: Path, write: Write) -> None:
    write("a.md", "# Delivery\n\nWe deliver all orders within three days.")
    write("b.md", "# 配送\n\n我们三天之内送达所有订单。")
    await base.sync([folder])
    assert await titles(base, "x", languages=["en"]) == ["Delivery"]
    assert await titles(base, "x", languages=["zh"]) == ["配送"]


async def test_an_empty_base_finds_nothing(base: KnowledgeBase, folder: Path) -> None:
    assert await base.search("return an item") == []
    assert await base.answer("return an item") is None
    assert (await base.sync([folder])).passages == 0


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("question", ["", "?", "的", "\x00", "a" * 1_000_000, "\ud800", "退" * 100_000])
async def test_any_question_can_be_asked(base: KnowledgeBase, folder: Path, question: str) -> None:
    await base.sync([folder])
    assert len(await base.search(question)) == 3


@pytest.mark.usefixtures("shop")
async def test_what_another_process_syncs_is_found_by_the_next_question(
    base: KnowledgeBase, folder: Path, tmp_path: Path, embedder: Any
) -> None:
    assert await base.search("return an item") == []
    await KnowledgeBase(tmp_path / "index" / "knowledge.db", embedder=embedder).sync([folder])
    assert await titles(base, "return an item", limit=1) == ["Return an item"]


@pytest.mark.usefixtures("shop")
async def test_questions_and_syncs_run_side_by_side(base: KnowledgeBase, folder: Path, write: Write) -> None:
    await base.sync([folder])

    async def change() -> None:
        for number in range(5):
            write("hours.md", OPENING.replace("ten", f"ten past {number}"))
            await base.sync([folder])

    found, _ = await asyncio.gather(asyncio.gather(*(titles(base, "opening hours", limit=1) for _ in range(20))), change())
    assert found == [["Opening hours"]] * 20


async def test_a_damaged_index_is_named_with_the_fix(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(IndexUnusable, match=r"knowledge\.db.*delete it and run `frontdesk kb sync`"):
        await KnowledgeBase(path).search("x")


@pytest.mark.usefixtures("shop")
async def test_an_index_of_another_version_is_made_anew_and_keeps_its_sources(
    base: KnowledgeBase, folder: Path, tmp_path: Path
) -> None:
    await base.add([folder])
    await base.sync()
    with sqlite3.connect(tmp_path / "index" / "knowledge.db") as db:
        db.execute("PRAGMA user_version = 99")
    assert await base.sources() == [folder]
    assert (await base.sync()).added == 3


async def test_progress_counts_files_and_texts(base: KnowledgeBase, folder: Path, write: Write) -> None:
    for number in range(40):
        write(f"{number}.md", f"# Title {number}\n\nText {number}.")
    seen: list[Progress] = []
    await base.sync([folder], on_progress=seen.append)
    assert [step.done for step in seen if step.stage == "reading"] == list(range(1, 41))
    assert [(step.done, step.total) for step in seen if step.stage == "embedding"] == [(64, 80), (80, 80)]


def test_evidence_grows_with_what_speaks_for_a_passage() -> None:
    calibration = Calibration(dense=6, lexical=1, familiar=1, bias=-4)
    assert 0 < calibration.evidence(0, 0, 0) < calibration.evidence(0.5, 0.2, 0.5) < calibration.evidence(1, 1, 1) < 1


class TestWithoutAnAnswerOfTheEmbedder:
    """It is a service, and may be down: articles are found by their words then."""

    @pytest.fixture(autouse=True)
    def no_pause(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base_module, "_PAUSE", 0.0)

    @pytest.mark.usefixtures("shop")
    async def test_a_question_is_answered_by_the_words_of_the_articles(
        self, base: KnowledgeBase, folder: Path, embedder: Any
    ) -> None:
        await base.sync([folder])
        embedder.error = ModelUnavailable("it is down")
        answer = await base.answer("return an item")
        assert answer is not None
        assert answer.text == "Send it back in 30 days."
        embedder.error = None
        assert (await base.search("return an item"))[0].dense > 0.9

    @pytest.mark.usefixtures("shop")
    async def test_articles_are_there_at_once_and_have_their_vectors_after_another_sync(
        self, base: KnowledgeBase, folder: Path, embedder: Any
    ) -> None:
        embedder.error = ModelFailed("it broke")
        first = await base.sync([folder])
        assert (first.added, first.embedded, first.not_embedded) == (3, 0, 4)
        embedder.error = None
        hit = (await base.search("return an item"))[0]
        assert (hit.passage.title, hit.dense) == ("Return an item", 0)
        assert hit.evidence > base.threshold
        second = await base.sync([folder])
        assert (second.added, second.changed, second.embedded, second.not_embedded) == (0, 0, 4, 0)
        assert (await base.search("return an item"))[0].dense > 0.9

    @pytest.mark.usefixtures("shop")
    async def test_it_is_left_alone_for_a_while(
        self, base: KnowledgeBase, folder: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(base_module, "_PAUSE", 1000.0)
        await base.sync([folder])
        embedder.error = ModelUnavailable("it is down")
        asked = len(embedder.texts)
        for question in ("return an item", "opening hours", "something else"):
            await base.answer(question)
        assert len(embedder.texts) == asked + 1

    @pytest.mark.usefixtures("shop")
    async def test_a_question_is_embedded_once_in_a_turn(self, base: KnowledgeBase, folder: Path, embedder: Any) -> None:
        await base.sync([folder])
        asked = len(embedder.texts)
        await base.answer("something else", languages={"zh"})
        await base.answer("something else")
        await base.search("something else")
        assert embedder.texts[asked:] == ["something else"]
