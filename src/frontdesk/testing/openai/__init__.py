"""Services on loopback that speak OpenAI's protocol, each in its own dialect, for tests. See `FakeOpenAI`."""

from frontdesk.testing.openai.dialects import DIALECTS, Dialect
from frontdesk.testing.openai.faults import Fault
from frontdesk.testing.openai.server import FakeOpenAI, Request, Said

__all__ = ["DIALECTS", "Dialect", "FakeOpenAI", "Fault", "Request", "Said"]
