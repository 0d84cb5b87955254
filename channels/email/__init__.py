"""E-mail: mailboxes read by IMAP, answers sent by SMTP."""

from frontdesk.channels.email.adapter import EmailChannel
from frontdesk.channels.email.settings import EmailSettings

__all__ = ["EmailChannel", "EmailSettings", "channel"]

channel = EmailChannel
