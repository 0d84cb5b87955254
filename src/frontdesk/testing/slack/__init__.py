"""A Slack on loopback for tests: what an app asks of Slack and is told by it, with people who use it. See `FakeSlack`."""

from frontdesk.testing.slack.blocks import SlackError
from frontdesk.testing.slack.delivery import Answer, Delivery, signed
from frontdesk.testing.slack.faults import Call, Fault
from frontdesk.testing.slack.people import Person, Shown, Surface, View
from frontdesk.testing.slack.server import FakeSlack
from frontdesk.testing.slack.workspace import Place, Workspace

__all__ = [
    "Answer",
    "Call",
    "Delivery",
    "FakeSlack",
    "Fault",
    "Person",
    "Place",
    "Shown",
    "SlackError",
    "Surface",
    "View",
    "Workspace",
    "signed",
]
