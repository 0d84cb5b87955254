"""Frontdesk: an omnichannel messaging bot framework for customer service."""

__version__ = "0.1.0"
