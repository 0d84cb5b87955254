"""Slack: direct messages, mentions and threads, over the Events API or Socket Mode; agents can answer from a channel."""

from frontdesk.channels.slack.adapter import SlackChannel
from frontdesk.channels.slack.settings import SlackSettings

__all__ = ["SlackChannel", "SlackSettings", "channel"]

channel = SlackChannel
