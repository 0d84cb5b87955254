"""Local models run in child processes, so that none of them can take the bot down, hold its event loop, or fill its memory.

`Worker` is the bot's end: it starts the child, restarts it when it dies or hangs, and passes calls and their streamed answers
through. `Service` is what a model implements, in the child, where torch is imported.
"""

from frontdesk.plugins.models.worker.parent import Worker
from frontdesk.plugins.models.worker.service import Report, Service

__all__ = ["Report", "Service", "Worker"]
