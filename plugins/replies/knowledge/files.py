"""From sources (files and folders) to articles. What is wrong with one file never stops the others."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from frontdesk.plugins.replies.knowledge.articles import Article, Malformed, markdown_article
from frontdesk.plugins.replies.knowledge.faq import Entries, csv_articles, json_articles
from frontdesk.plugins.replies.knowledge.html import html_article
from frontdesk.plugins.replies.knowledge.values import Problem

SUFFIXES = frozenset({".md", ".markdown", ".html", ".htm", ".csv", ".json"})
MAX_BYTES = 4 * 1024 * 1024

_RECIPE = "1"
"""Part of every digest: raise it when reading or chunking changes, and the next sync reads all files anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A file of a source, not read yet."""

    path: Path
    """Absolute; the key of the document."""
    source: Path
    """The source that it belongs to, as it was given, made absolute."""
    name: str
    """Its path relative to the source."""


def find(source: Path) -> Iterator[Found | Problem]:
    """The files of a source in the order of their names, and what had to be left out.

    Hidden files and files of other types are passed over in silence. A link that leads out of the folder is not
    followed: it could publish any file of the machine.
    """
    source = Path(os.path.abspath(source))
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            yield Problem(path=str(source), reason="it is of no known type", fix=f"Use one of {_suffixes()}.")
        else:
            yield Found(path=source, source=source, name=source.name)
        return
    if not source.is_dir():
        yield Problem(
            path=str(source),
            reason="there is no such file or folder",
            fix="Correct the path, or take it off with `frontdesk kb remove`.",
        )
        return
    root = source.resolve()
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*files, *links]):
            path = Path(folder) / name
            if name.startswith(".") or (path.suffix.lower() not in SUFFIXES and name not in links):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                yield Problem(
                    path=str(path),
                    reason="it is a link that leads out of the folder",
                    fix="Copy the file into the folder, or add the place it leads to as a source of its own.",
                )
            elif name not in links:
                yield Found(path=path, source=source, name=path.relative_to(source).as_posix())


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))


def read(found: Found) -> tuple[bytes, str]:
    """A file's content and its digest.

    Raises:
        Malformed: it cannot be read, or is larger than `MAX_BYTES`.
    """
    try:
        size = found.path.stat().st_size
        if size > MAX_BYTES:
            limit = MAX_BYTES // 1024 // 1024
            raise Malformed(f"it has {size / 1024 / 1024:.1f} MB, more than {limit} MB", "Split it into smaller files.")
        content = found.path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Malformed(f"it cannot be read ({reason})", "Check that it exists and may be read.") from error
    return content, hashlib.sha256(_RECIPE.encode() + content).hexdigest()


def parse(found: Found, content: bytes) -> Entries:
    """The articles of a file, and the entries that had to be left out.

    Raises:
        Malformed: nothing in the file can be used.
    """
    text = _decode(content)
    if not text.strip():
        raise Malformed("it is empty", "Write the article, or delete the file.")
    match found.path.suffix.lower():
        case ".csv":
            return csv_articles(text)
        case ".json":
            return json_articles(text)
        case suffix:
            article: Article
            file_title = found.path.stem.replace("-", " ").replace("_", " ").strip().capitalize() or found.path.name
            read_article = html_article if suffix in {".html", ".htm"} else markdown_article
            article = read_article(text, file_title=file_title)
            return [article], []


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Malformed("it is UTF-16", "Save it as UTF-8.")
    try:
        return content.decode("utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start} is not UTF-8", "Save it as UTF-8.") from error
