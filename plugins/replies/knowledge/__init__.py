"""A knowledge base: articles in files, an index in one SQLite file, retrieval that knows when it does not know.

`KnowledgeBase` is the entrance. Files become articles (`files`, `articles`, `html`, `faq`), articles become passages
(`chunking`), passages and their vectors lie in the index (`index`), a question ranks them (`ranking`), and the best
passage gives the answer in its own words (`quoting`).
"""

from frontdesk.plugins.replies.knowledge.base import KnowledgeBase
from frontdesk.plugins.replies.knowledge.index import IndexUnusable
from frontdesk.plugins.replies.knowledge.ranking import Calibration, Scoring
from frontdesk.plugins.replies.knowledge.values import Answer, Hit, Passage, Problem, Progress, SyncReport

__all__ = [
    "Answer",
    "Calibration",
    "Hit",
    "IndexUnusable",
    "KnowledgeBase",
    "Passage",
    "Problem",
    "Progress",
    "Scoring",
    "SyncReport",
]
