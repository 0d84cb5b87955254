"""Settings of the `replies` plugin."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from frontdesk.core.models import Embedder
from frontdesk.plugins.replies.knowledge import KnowledgeBase, Scoring


class RepliesSettings(BaseModel):
    """Where the articles are, and how sure an answer must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[Path, ...] = Field((), description="files and folders with articles, beside those added by `kb add`")
    languages: tuple[str, ...] = Field(
        ("en", "zh"), min_length=1, description="what an article without a stated language may be in"
    )
    bm25_weight: float = Field(
        0.25, ge=0, le=2, description="how much the words count beside the meaning; more suits questions like the articles"
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="the least evidence for an answer; more answers less often and errs less often"
    )
    answer_seconds: float = Field(
        18.0, gt=0, description="how long a chat model may take for an answer; keep it well below turns.seconds"
    )
    answer_tokens: int = Field(400, ge=16, description="the longest answer of a chat model")
    dense_cjk: bool = Field(
        False, description="whether the embedding model knows Chinese, Japanese and Korean; the default one does not"
    )


def knowledge_base(settings: RepliesSettings, *, index: Path, embedder: Embedder | None) -> KnowledgeBase:
    """The knowledge base that the plugin answers from; `index` is its SQLite file, made when it is not there."""
    scoring = Scoring(bm25_weight=settings.bm25_weight, threshold=settings.threshold, dense_cjk=settings.dense_cjk)
    return KnowledgeBase(index, embedder=embedder, languages=settings.languages, scoring=scoring)
