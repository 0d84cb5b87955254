"""Telegram, by long polling or by webhook: private chats, groups, topics, business accounts."""

from frontdesk.channels.telegram.adapter import TelegramChannel
from frontdesk.channels.telegram.settings import TelegramSettings

__all__ = ["TelegramChannel", "TelegramSettings", "channel"]

channel = TelegramChannel
