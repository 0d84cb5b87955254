import os
from collections.abc import Callable
from pathlib import Path

import pytest

from frontdesk.plugins.replies.knowledge.articles import Article, Malformed, markdown_article
from frontdesk.plugins.replies.knowledge.faq import csv_articles, json_articles
from frontdesk.plugins.replies.knowledge.files import MAX_BYTES, Found, find, parse, read
from frontdesk.plugins.replies.knowledge.html import html_article
from frontdesk.plugins.replies.knowledge.values import Problem

Write = Callable[[str, str | bytes], Path]


def test_front_matter_gives_title_language_tags_questions_and_address() -> None:
    text = (
        "---\ntitle: Returns\nlanguage: pt-BR\ntags: [Returns, money, returns]\nquestions:\n  - Can I bring it back?\n"
        "url: https://shop.example/returns\n---\n\nWithin **30 days**.\n"
    )
    assert markdown_article(text, file_title="x") == Article(
        title="Returns",
        body="Within **30 days**.",
        language="pt",
        tags=("returns", "money"),
        questions=("Can I bring it back?",),
        url="https://shop.example/returns",
    )


def test_without_front_matter_the_first_heading_is_the_title_then_the_file_name() -> None:
    assert markdown_article("# Delivery *times*\n\nTwo days.", file_title="x").title == "Delivery times"
    assert markdown_article("Two days.", file_title="Delivery").title == "Delivery"


def test_windows_line_ends_and_front_matter_without_keys_are_read() -> None:
    article = markdown_article("---\r\ntitle: A\r\n---\r\nText\r\n", file_title="x")
    assert (article.title, article.body) == ("A", "Text")
    assert markdown_article("---\n---\nText", file_title="x") == Article(title="x", body="Text")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: a: b\n---\nText", "not YAML on line 2"),
        ("---\ntitle: A\nText without an end", "never closes"),
        ("---\n- one\n- two\n---\nText", "not a list of keys and values"),
        ("---\nlanguage: 'no language!'\n---\nText", "no language code"),
        ("---\nlanguage: no\n---\nText", "`language` is not a text"),
        ("---\ntags: {a: b}\n---\nText", "`tags` is not a list of texts"),
        ("---\ntitle: [a]\n---\nText", "`title` is not a text"),
        ("---\ntitle: A\n---\n\n", "no text"),
    ],
)
def test_broken_articles_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        markdown_article(text, file_title="x")
    assert reason in caught.value.reason
    assert caught.value.fix


def test_html_keeps_the_main_content_as_markdown() -> None:
    page = """<!doctype html><html lang="de-AT"><head><title>Shop - Versand</title>
      <meta name="keywords" content="Versand, Preise"><link rel="canonical" href="https://shop.example/versand">
      <style>p{color:red}</style></head><body><nav>Home</nav><main><h1>Versand</h1>
      <p>Wir liefern <b>schnell</b> und <a href="https://shop.example/x">günstig</a>,
         <a href="javascript:alert(1)">wirklich</a>.</p>
      <h2>Preise</h2><ul><li>Standard: 5 &euro;</li><li>Express: <em>10 €</em></li></ul>
      <ol><li><p>Eins</p><p>mehr</p></li></ol>
      <table><tr><th>Land</th><th>Tage</th></tr><tr><td>AT</td><td>2</td></tr></table>
      <script>alert(1)</script></main><footer>Impressum</footer></body></html>"""
    article = html_article(page, file_title="x")
    assert (article.title, article.language, article.tags) == ("Versand", "de", ("versand", "preise"))
    assert article.url == "https://shop.example/versand"
    assert "Wir liefern **schnell** und [günstig](https://shop.example/x), wirklich." in article.body
    assert "## Preise\n\n- Standard: 5 €\n- Express: *10 €*" in article.body
    assert "1. Eins\n   mehr" in article.body
    assert "| Land | Tage |\n| --- | --- |\n| AT | 2 |" in article.body
    assert not any(word in article.body for word in ("alert", "Home", "Impressum", "color"))


def test_an_html_page_without_text_is_malformed() -> None:
    with pytest.raises(Malformed, match="no text"):
        html_article("<html><body><nav>Home</nav></body></html>", file_title="x")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_with_any_usual_separator(delimiter: str) -> None:
    text = delimiter.join(("Question", "Answer", "language", "tags")) + "\n" + delimiter.join(("Why?", '"So, so"', "en", "a"))
    articles, left_out = csv_articles(text)
    assert articles == [Article(title="Why?", body="So, so", language="en", tags=("a",))]
    assert not left_out


def test_a_row_without_an_answer_is_left_out_by_its_line() -> None:
    articles, left_out = csv_articles("question,answer\nOne?,Yes.\nTwo?,\nThree?,No.\n")
    assert [article.title for article in articles] == ["One?", "Three?"]
    assert [(number, problem.reason) for number, problem in left_out] == [(3, "the question or the answer is missing")]


@pytest.mark.parametrize("text", ["name,phone\nAda,1\n", "question\nWhy?\n", "question,answer\n"])
def test_csv_without_the_columns_or_rows_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        csv_articles(text)


def test_json_is_a_list_bare_or_under_a_key() -> None:
    entry = '{"question": "Why?", "answer": "So."}'
    assert json_articles(f"[{entry}]")[0] == [Article(title="Why?", body="So.")]
    wrapped = f'{{"language": "fr", "tags": ["a"], "entries": [{entry}]}}'
    assert json_articles(wrapped)[0] == [Article(title="Why?", body="So.", language="fr", tags=("a",))]


@pytest.mark.parametrize("text", ["{", '"text"', '{"a": 1}', "[1, 2]", "[]", "[" * 100_000, "NaN"])
def test_json_of_another_form_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        json_articles(text)


def test_a_json_item_of_another_form_is_left_out_by_its_number() -> None:
    articles, left_out = json_articles('[{"question": "Why?", "answer": "So."}, 7, {"question": "Why?", "answer": ["x"]}]')
    assert len(articles) == 1
    assert [number for number, _ in left_out] == [2, 3]


def found(folder: Path) -> tuple[list[str], list[Problem]]:
    items = list(find(folder))
    return [item.name for item in items if isinstance(item, Found)], [item for item in items if isinstance(item, Problem)]


def test_find_walks_folders_and_passes_over_hidden_and_other_files(folder: Path, write: Write) -> None:
    for name in ("b.md", "a/c.html", "a/d.JSON", ".hidden/e.md", ".f.md", "picture.png"):
        write(name, "x")
    assert found(folder) == (["b.md", "a/c.html", "a/d.JSON"], [])


def test_links_out_of_the_folder_are_reported_and_not_followed(folder: Path, write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.md").write_text("secret")
    write("a.md", "x")
    (folder / "inside.md").symlink_to("a.md")
    (folder / "outside.md").symlink_to(tmp_path / "secret" / "key.md")
    (folder / "all").symlink_to(tmp_path / "secret", target_is_directory=True)
    names, problems = found(folder)
    assert names == ["a.md", "inside.md"]
    assert sorted(Path(problem.path).name for problem in problems) == ["all", "outside.md"]
    assert all("leads out" in problem.reason for problem in problems)


def test_missing_sources_and_unknown_types_are_reported(folder: Path, write: Write) -> None:
    assert "no such file" in found(folder / "nothing")[1][0].reason
    assert "no known type" in found(write("a.exe", "x"))[1][0].reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", "caf\xe9".encode("latin-1"), "byte 3 is not UTF-8"),
        ("a.md", "text".encode("utf-16"), "UTF-16"),
        ("a.md", b"", "empty"),
        ("a.csv", b" \n", "empty"),
        ("a.md", b"x" * (MAX_BYTES + 1), "more than 4 MB"),
    ],
)
def test_unusable_files_are_malformed(folder: Path, write: Write, name: str, content: bytes, reason: str) -> None:
    item = Found(path=write(name, content), source=folder, name=name)
    with pytest.raises(Malformed) as caught:
        parse(item, read(item)[0])
    assert reason in caught.value.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_malformed(folder: Path, write: Write) -> None:
    path = write("a.md", "x")
    path.chmod(0)
    with pytest.raises(Malformed, match="cannot be read"):
        read(Found(path=path, source=folder, name="a.md"))
