"""The web chat: an embeddable widget, and the server side of it."""

from frontdesk.channels.web.adapter import WebChannel
from frontdesk.channels.web.settings import WebSettings

__all__ = ["WebChannel", "WebSettings", "channel"]

channel = WebChannel
