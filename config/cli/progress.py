"""Shows how far the index of the knowledge base is, where that takes long enough to be noticed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from frontdesk.plugins.replies.knowledge.values import OnProgress, Progress


@contextmanager
def indexing() -> Iterator[OnProgress]:
    """Bars on standard error, from the first text on that must be embedded."""
    with ExitStack() as stack:
        shown: list[OnProgress] = []

        def tell(progress: Progress) -> None:
            if progress.stage == "reading" or not progress.total:
                return
            if not shown:
                from frontdesk.config.cli.kb import bars

                shown.append(stack.enter_context(bars()))
            shown[0](progress)

        yield tell
