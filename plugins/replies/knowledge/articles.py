"""Articles, and how one is read from Markdown with optional YAML front matter."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from frontdesk.plugins.replies.knowledge.text import blocks, plain

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?P<yaml>.*?)(?:^|\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)


class Malformed(Exception):
    """A file, or one entry of it, that cannot become an article. `fix` tells its author what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """What a file says about one thing. An entry of a list of questions is an article: the question is its title."""

    title: str
    body: str
    """Markdown."""
    language: str | None = None
    """The primary subtag of BCP 47, such as `en` or `zh`; None where the author did not say."""
    tags: tuple[str, ...] = ()
    url: str | None = None
    questions: tuple[str, ...] = ()
    """Questions that it answers, in customers' words. They help to find it and are not shown."""


def markdown_article(text: str, *, file_title: str) -> Article:
    """Reads a Markdown file. The title is the front matter's, else the first heading, else `file_title`.

    Raises:
        Malformed: the front matter is broken, or there is no text.
    """
    meta, body = _front_matter(text)
    if not plain(body):
        raise Malformed("it has no text", "Write the article, or delete the file.")
    title = meta_text(meta, "title") or _first_heading(body) or file_title
    return Article(
        title=title,
        body=body.strip(),
        language=meta_language(meta),
        tags=meta_tags(meta),
        questions=meta_list(meta, "questions"),
        url=meta_text(meta, "url") or meta_text(meta, "source_url") or meta_text(meta, "source"),
    )


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    if not re.match(r"---[ \t]*\r?\n", text):
        return {}, text
    match = _FRONT_MATTER.match(text)
    if match is None:
        raise Malformed("its front matter opens with --- and never closes", "Add a line --- after the last key.")
    try:
        meta = yaml.safe_load(match["yaml"])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" on line {mark.line + 2}" if mark else ""
        raise Malformed(
            f"its front matter is not YAML{line}",
            "Correct it; a value with a colon or a leading symbol needs quotation marks.",
        ) from error
    if meta is None:
        meta = {}
    if not isinstance(meta, dict):
        raise Malformed("its front matter is not a list of keys and values", "Write it as `title: ...` lines.")
    return meta, text[match.end() :]


def _first_heading(body: str) -> str | None:
    tokens = blocks(body)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            return plain(inline.content) or None
    return None


def meta_text(meta: dict[str, Any], key: str) -> str | None:
    """A value that must be a text or a number. Raises Malformed for anything else."""
    value = meta.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Malformed(f"`{key}` is not a text", f"Write `{key}: some text`.")
    return str(value).strip() or None


def meta_language(meta: dict[str, Any]) -> str | None:
    """The primary subtag of `language`. Raises Malformed if it is no language code."""
    code = meta_text(meta, "language") or meta_text(meta, "lang")
    if code is None:
        return None
    if not _LANGUAGE.fullmatch(code):
        raise Malformed(f"`language: {code[:40]}` is no language code", "Write a code such as en, zh or pt-BR.")
    return re.split("[-_]", code)[0].lower()


def meta_list(meta: dict[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts without repetitions, or one text with commas. Raises Malformed for anything else."""
    value = meta.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        value = re.split("[,，;]", value)
    if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
        raise Malformed(f"`{key}` is not a list of texts", f"Write `{key}: [one, another]`.")
    return tuple(dict.fromkeys(text for text in (str(item).strip() for item in value) if text))


def meta_tags(meta: dict[str, Any]) -> tuple[str, ...]:
    """`tags`, in small letters. Raises Malformed as `meta_list` does."""
    return tuple(dict.fromkeys(tag.casefold() for tag in meta_list(meta, "tags")))
