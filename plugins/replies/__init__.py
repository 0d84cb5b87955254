"""Answers from a knowledge base: the plugin, its settings, and the knowledge base it needs injected."""

from frontdesk.plugins.replies.plugin import plugin
from frontdesk.plugins.replies.settings import RepliesSettings, knowledge_base

__all__ = ["RepliesSettings", "knowledge_base", "plugin"]
