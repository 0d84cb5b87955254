"""The knowledge base: sync, search, answer."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

import structlog

from frontdesk.core.dialogue.language import LanguageDetector
from frontdesk.core.errors import ModelError
from frontdesk.core.models import Embedder, Vectors
from frontdesk.plugins.replies.knowledge.articles import Article, Malformed
from frontdesk.plugins.replies.knowledge.chunking import chunk
from frontdesk.plugins.replies.knowledge.files import Found, find, parse, read
from frontdesk.plugins.replies.knowledge.index import Document, Index, key_digest
from frontdesk.plugins.replies.knowledge.quoting import best_sections, coverage, quote, units
from frontdesk.plugins.replies.knowledge.ranking import Ranker, Scoring
from frontdesk.plugins.replies.knowledge.text import anchor, plain
from frontdesk.plugins.replies.knowledge.values import (
    Answer,
    Hit,
    OnProgress,
    Passage,
    Problem,
    Progress,
    SyncReport,
)

_BATCH = 64
_MAX_QUESTION = 2000
"""Characters of a question that are looked at."""
_REMEMBERED = 64
_PAUSE = 15.0
"""Seconds for which an embedder that did not answer is not asked again."""

_log = structlog.get_logger(__name__)


class KnowledgeBase:
    """Articles from files and folders, and the answers in them.

    Without an embedder, or while it does not answer, it finds articles by their words alone. `languages` are those that an
    article without a stated language is taken to be in, the likeliest by its text.

    Raises:
        IndexUnusable: from every call, when the index cannot be opened, read or written.
    """

    def __init__(
        self,
        index: Path,
        *,
        embedder: Embedder | None = None,
        languages: Sequence[str] = ("en", "zh"),
        scoring: Scoring | None = None,
    ) -> None:
        self._index = Index(index)
        self._embedder = embedder
        self._detector = LanguageDetector(languages)
        self._scoring = scoring or Scoring()
        self._ranker: Ranker | None = None
        self._asked: OrderedDict[str, Vectors] = OrderedDict()
        self._pause_until = 0.0

    @property
    def threshold(self) -> float:
        """The least evidence for an answer."""
        return self._scoring.threshold

    async def sources(self) -> list[Path]:
        """The files and folders that were added."""
        return await asyncio.to_thread(self._index.sources)

    async def add(self, sources: Iterable[Path]) -> None:
        """Remembers sources for every later sync; their articles are there after the next one."""
        await asyncio.to_thread(self._index.remember, [_absolute(source) for source in sources])

    async def remove(self, sources: Iterable[Path]) -> None:
        """Forgets sources; their articles go with the next sync."""
        await asyncio.to_thread(self._index.forget, [_absolute(source) for source in sources])

    async def sync(self, configured: Iterable[Path] = (), *, on_progress: OnProgress | None = None) -> SyncReport:
        """Brings the index up to date with the added and the configured sources.

        Only what changed is read into passages, and only texts without a vector are embedded. A file that became
        unusable, or a source that is gone, keeps what was last read from it and is reported. So are texts without a vector
        because the embedder did not answer: a later sync goes on with them. `on_progress` may be called from another thread.
        """
        tell: OnProgress = on_progress or _silent
        sources = [*await self.sources(), *map(_absolute, configured)]
        plan = await asyncio.to_thread(self._plan, list(dict.fromkeys(sources)), tell)
        embedded, missing = await self._embed_missing(plan, tell)
        if plan.changed or plan.removed:
            await asyncio.to_thread(self._index.commit, plan.changed, plan.removed)
        report = SyncReport(
            added=sum(document.path not in plan.before for document, _ in plan.changed),
            changed=sum(document.path in plan.before for document, _ in plan.changed),
            removed=len(plan.removed),
            unchanged=len(plan.before) - len(plan.removed) - sum(d.path in plan.before for d, _ in plan.changed),
            passages=len(plan.kept) + sum(len(passages) for _, passages in plan.changed),
            embedded=embedded,
            not_embedded=missing,
            problems=tuple(plan.problems),
        )
        _log.info("knowledge_synced", added=report.added, changed=report.changed, removed=report.removed)
        return report

    async def search(
        self,
        question: str,
        *,
        languages: Collection[str] | None = None,
        tags: Collection[str] = (),
        limit: int = 5,
    ) -> list[Hit]:
        """The passages that fit best, the best first, whether or not they fit well.

        `languages` and `tags` leave out all other passages before anything is ranked; a passage must have all tags.
        """
        question = question[:_MAX_QUESTION]
        ranker = await self._current()
        vector = await self._question_vector(question) if ranker.knows_meanings else None
        rank = partial(ranker.rank, question, vector, languages=languages, tags=tags, limit=limit)
        return await asyncio.to_thread(rank)

    async def answer(
        self, question: str, *, languages: Collection[str] | None = None, tags: Collection[str] = ()
    ) -> Answer | None:
        """A quotation from the passage that fits best; None where its evidence is below the threshold."""
        hits = await self.search(question, languages=languages, tags=tags, limit=1)
        if not hits or hits[0].evidence < self.threshold:
            return None
        return await self.quote(question, hits[0])

    async def quote(self, question: str, hit: Hit) -> Answer:
        """The part of a hit's passage that fits the question best."""
        passage, question = hit.passage, question[:_MAX_QUESTION]
        ranker = await self._current()
        vector = await self._question_vector(question)
        parts = units(passage)
        words = {part: coverage(question, part, ranker.weight) for part in parts}
        scores = [words[part] for part in parts]
        if vector is not None:
            weight = self._scoring.bm25_weight
            keys = {key: ranker.nearness(vector, key) for key in passage.keys}
            near = [max((keys[key] for key in keys if part.plain in key), default=0.0) for part in parts]
            rough = [dense + weight * words[part] for dense, part in zip(near, parts, strict=True)]
            rough_of = dict(zip(parts, rough, strict=True))
            parts = best_sections(parts, rough, count=2)
            vectors = await self._embedded([f"{part.heading}\n{part.plain}".strip() for part in parts])
            scores = [rough_of[part] for part in parts]
            if vectors is not None:
                scores = [float(dense) + weight * words[part] for dense, part in zip(vectors @ vector, parts, strict=True)]
        quotation = quote(parts, scores)
        fragment = f"#{anchor(quotation.heading)}" if quotation.heading and "#" not in passage.source else ""
        return Answer(
            text=quotation.text,
            title=passage.title,
            source=passage.source + fragment,
            language=passage.language,
            score=hit.score,
            evidence=hit.evidence,
            passage=passage,
        )

    async def _question_vector(self, question: str) -> Vectors | None:
        """None where it is not to be had. A turn asks for the same one more than once."""
        if self._embedder is None or not self._scoring.dense_fits(question):
            return None
        if (known := self._asked.get(question)) is None and (vectors := await self._embedded([question])) is not None:
            known = self._asked[question] = vectors[0]
            if len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return known

    async def _embedded(self, texts: Sequence[str]) -> Vectors | None:
        """Vectors, if the embedder answers. After a failure it is left alone for a while: a turn has no time to wait for it."""
        if self._embedder is None or monotonic() < self._pause_until:
            return None
        try:
            return await self._embedder.embed(texts)
        except ModelError as error:
            _log.warning("articles are looked for by words alone", error=f"{type(error).__name__}: {error}")
            self._pause_until = monotonic() + _PAUSE
            return None

    async def _current(self) -> Ranker:
        """The ranker of the newest generation; another process may have synced since the last question."""
        return await asyncio.to_thread(self._load)

    def _load(self) -> Ranker:
        ranker = self._ranker
        if ranker is None or ranker.snapshot.generation != self._index.generation():
            name = self._embedder.name if self._embedder else None
            dimensions = self._embedder.dimensions if self._embedder else 0
            ranker = self._ranker = Ranker(self._index.snapshot(name, dimensions), self._scoring)
        return ranker

    def _plan(self, sources: Sequence[Path], tell: OnProgress) -> "_Plan":
        plan = _Plan(self._index)
        found: dict[str, Found] = {}
        for source in sources:
            for item in find(source):
                if isinstance(item, Problem):
                    plan.problems.append(item)
                else:
                    found.setdefault(str(item.path), item)
        for done, item in enumerate(found.values(), start=1):
            self._read(item, plan)
            tell(Progress(stage="reading", done=done, total=len(found)))
        unreachable = {str(source) for source in sources if not source.exists()}
        for path, document in plan.before.items():
            if path not in found and document.source not in unreachable and not _blocked(path, plan.problems):
                plan.removed.append(path)
        gone = {*plan.removed, *(document.path for document, _ in plan.changed)}
        plan.kept = [passage for passage in self._index.passages() if passage.path not in gone]
        return plan

    def _read(self, found: Found, plan: "_Plan") -> None:
        path = str(found.path)
        try:
            content, digest = read(found)
            document = Document(path=path, source=str(found.source), digest=digest)
            articles, left_out = parse(found, content)
        except Malformed as problem:
            plan.problems.append(Problem(path=path, reason=problem.reason, fix=problem.fix))
            return
        plan.problems += (
            Problem(path=path, reason=f"entry {number} is left out: {problem.reason}", fix=problem.fix)
            for number, problem in left_out
        )
        if plan.before.get(path) != document:
            passages = [passage for article in articles for passage in self._passages(found, article)]
            plan.changed.append((document, passages))

    def _passages(self, found: Found, article: Article) -> list[Passage]:
        language = article.language or self._detector.detect(f"{article.title}\n{plain(article.body)}", None)
        return [
            Passage(
                path=str(found.path),
                name=found.name,
                title=article.title,
                headings=piece.headings,
                text=piece.text,
                language=language,
                tags=article.tags,
                url=article.url,
                questions=article.questions,
                keys=(*piece.keys(article.title), *article.questions),
            )
            for piece in chunk(article)
        ]

    async def _embed_missing(self, plan: "_Plan", tell: OnProgress) -> tuple[int, int]:
        """How many texts have got their vectors, and how many have none yet."""
        if self._embedder is None:
            return 0, 0
        embedder, index = self._embedder, self._index
        known = await asyncio.to_thread(index.known_keys, embedder.name)
        passages = [*plan.kept, *(passage for _, passages in plan.changed for passage in passages)]
        fits = self._scoring.dense_fits
        texts = dict.fromkeys(key for passage in passages for key in passage.keys if fits(key))
        missing = [text for text in texts if key_digest(text) not in known]
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            try:
                vectors = await embedder.embed(batch)
            except ModelError as error:
                _log.warning("articles have no vectors yet", texts=len(missing) - start, error=f"{type(error).__name__}: {error}")
                return start, len(missing) - start
            await asyncio.to_thread(index.add_vectors, embedder.name, batch, vectors)
            tell(Progress(stage="embedding", done=start + len(batch), total=len(missing)))
        if missing:
            await asyncio.to_thread(index.drop_vectors_except, embedder.name)
        return len(missing), 0


class _Plan:
    """What one sync is about to do."""

    def __init__(self, index: Index) -> None:
        self.before = index.documents()
        self.changed: list[tuple[Document, list[Passage]]] = []
        self.removed: list[str] = []
        self.kept: list[Passage] = []
        self.problems: list[Problem] = []


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))


def _blocked(path: str, problems: Iterable[Problem]) -> bool:
    return any(problem.path == path for problem in problems)


def _silent(_: Progress) -> None:
    return
