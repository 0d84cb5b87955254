"""Language models of transformers, loaded into a process of their own: `LocalChat` is the bot's end, `service` the child's.

Importing this loads neither torch nor transformers.
"""

from frontdesk.plugins.models.local.chat import LocalChat

__all__ = ["LocalChat"]
