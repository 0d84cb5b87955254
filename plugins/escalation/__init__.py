"""Calls a person: on request, after repeated failure, and by rule. Every hand-over gets the context for the agents."""

from frontdesk.plugins.escalation.plugin import plugin
from frontdesk.plugins.escalation.settings import EscalationSettings, Rule

__all__ = ["EscalationSettings", "Rule", "plugin"]
