"""The console: one customer, at the terminal or in a pipe."""

from frontdesk.channels.console.adapter import ConsoleChannel
from frontdesk.channels.console.settings import ConsoleSettings

__all__ = ["ConsoleChannel", "ConsoleSettings", "channel"]

channel = ConsoleChannel
