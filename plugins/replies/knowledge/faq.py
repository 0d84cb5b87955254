"""Lists of questions and answers: CSV with a header line, or JSON. Each entry becomes an article."""

import csv
import io
from typing import Any

import msgspec

from frontdesk.plugins.replies.knowledge.articles import Article, Malformed, meta_language, meta_tags, meta_text

_QUESTION = ("question", "q", "title", "问题")
_ANSWER = ("answer", "a", "text", "答案", "回答")
_LISTS = ("faq", "faqs", "questions", "entries", "items")

Entries = tuple[list[Article], list[tuple[int, Malformed]]]
"""The articles, and the entries that had to be left out, by their number: a row of a CSV file, an item of a JSON list."""


def csv_articles(text: str) -> Entries:
    """Reads the columns `question` and `answer`, and `language`, `tags` and `url` where there are any.

    Commas, semicolons, tabs and bars are taken as separators, whichever makes the needed columns appear.

    Raises:
        Malformed: there is no header line with a question and an answer column, or there are no rows.
    """
    header = text.split("\n", 1)[0]
    for delimiter in ",;\t|":
        names = {name.strip().casefold() for name in next(csv.reader([header], delimiter=delimiter), [])}
        if names & set(_QUESTION) and names & set(_ANSWER):
            break
    else:
        raise Malformed(
            "it has no question and answer columns", "Make its first line `question,answer` (language, tags, url may follow)."
        )
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows: list[tuple[int, dict[str, Any]]] = [
            (reader.line_num, {(key or "").strip().casefold(): value for key, value in row.items()}) for row in reader
        ]
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num} is not CSV ({error})", "Check the quotation marks there.") from error
    return _articles(rows)


def json_articles(text: str) -> Entries:
    """Reads a list of objects with `question` and `answer`, bare or under a key such as `faq` or `entries`.

    `language` beside the list holds for all entries that name none.

    Raises:
        Malformed: it is no JSON, or has another form.
    """
    fix = 'Write [{"question": "...", "answer": "..."}, ...].'
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"it is not JSON ({error})", fix) from error
    common: dict[str, Any] = {}
    if isinstance(data, dict):
        common = {key: data[key] for key in ("language", "tags", "url") if key in data}
        data = next((data[key] for key in _LISTS if isinstance(data.get(key), list)), None)
    if not isinstance(data, list) or not any(isinstance(entry, dict) for entry in data):
        raise Malformed("it is JSON, but no list of questions and answers", fix)
    rows = [
        (number, common | {key.casefold(): value for key, value in entry.items()} if isinstance(entry, dict) else {})
        for number, entry in enumerate(data, start=1)
    ]
    return _articles(rows)


def _articles(rows: list[tuple[int, dict[str, Any]]]) -> Entries:
    articles: list[Article] = []
    left_out: list[tuple[int, Malformed]] = []
    for number, row in rows:
        try:
            articles.append(_article(row))
        except Malformed as problem:
            left_out.append((number, problem))
    if not articles and not left_out:
        raise Malformed("it has no entries", "Add a question and its answer, or delete the file.")
    return articles, left_out


def _article(row: dict[str, Any]) -> Article:
    question = next((text for key in _QUESTION if (text := meta_text(row, key))), None)
    answer = next((text for key in _ANSWER if (text := meta_text(row, key))), None)
    if question is None or answer is None:
        raise Malformed("the question or the answer is missing", "Fill in both.")
    return Article(title=question, body=answer, language=meta_language(row), tags=meta_tags(row), url=meta_text(row, "url"))
