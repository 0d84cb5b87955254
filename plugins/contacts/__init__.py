"""Links the accounts of one person: a code that is shown on one channel and written on the other."""

from frontdesk.plugins.contacts.plugin import plugin

__all__ = ["plugin"]
