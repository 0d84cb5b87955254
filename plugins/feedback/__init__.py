"""Asks for a rating after a matter was resolved, and keeps it."""

from frontdesk.plugins.feedback.database import Rating, Ratings
from frontdesk.plugins.feedback.plugin import FeedbackSettings, plugin

__all__ = ["FeedbackSettings", "Rating", "Ratings", "plugin"]
