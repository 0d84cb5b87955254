"""The desk page of the support agents."""

from frontdesk.channels.desk.adapter import Desk

channel = Desk

__all__ = ["Desk", "channel"]
