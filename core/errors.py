"""The errors of Frontdesk, split by what the caller does next.

FrontdeskError
├── ConfigurationError      fix the configuration or the wiring; raised at start, never on a message
│   ├── WiringError         a handler, plugin or channel is declared wrongly
│   └── MissingExtra        an optional package is not installed
├── Unavailable             nothing was kept: try again later (HTTP 503)
├── InvalidInput            the sender must change what it sends (HTTP 4xx)
├── Stale                   somebody else changed the conversation: reload and decide again
├── TransientError          a handler may raise it: the turn is tried again with backoff
├── ModelError              a model gave no usable answer: go on without it
│   ├── ModelUnavailable    it is loading, out of reach, busy, or its budget is spent
│   ├── PromptRejected      what it was asked can never be answered: too long, empty, or not among its abilities
│   └── ModelFailed         it broke, took too long, or answered rubbish
└── DeliveryError
    ├── DeliveryDeferred    the platform says later, or was not reached
    ├── DeliveryUncertain   the platform was reached, and its answer was lost
    └── DeliveryRejected    the platform says no
"""

UNCERTAIN = "it is not known whether it arrived: look there before you send it again"


class FrontdeskError(Exception):
    """The root of all errors that Frontdesk raises on purpose."""


class ConfigurationError(FrontdeskError):
    """The configuration is wrong. The message names the setting, the value and the fix."""


class WiringError(ConfigurationError):
    """A plugin or channel is declared wrongly. The message names it, its handler and the parameter."""


class MissingExtra(ConfigurationError):
    """An optional package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs an optional package: pip install "frontdesk[{extra}]"')
        self.extra = extra


class Unavailable(FrontdeskError):
    """The store cannot keep anything at the moment, so nothing was acknowledged. `retry_after` is in seconds."""

    def __init__(self, reason: str, retry_after: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class InvalidInput(FrontdeskError):
    """What was sent cannot be taken. The message says why and is safe to show to the sender; `status` is the HTTP status."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


class Stale(FrontdeskError):
    """The conversation has changed since it was read."""


class TransientError(FrontdeskError):
    """What a handler needs is out of reach for now. `retry_after` is in seconds; None leaves it to the backoff."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ModelError(FrontdeskError):
    """A model gave no usable answer. The message never has words of the prompt or of the answer in it."""


class ModelUnavailable(ModelError):
    """The model cannot be asked now. `retry_after` is in seconds, where it is known."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class PromptRejected(ModelError):
    """The model can never answer this request: another one must be made."""


class ModelFailed(ModelError):
    """The model was asked, and broke, took too long, or answered what cannot be used."""


class DeliveryError(FrontdeskError):
    """The platform did not take a reply."""


class DeliveryDeferred(DeliveryError):
    """The platform says later. `retry_after` is in seconds; None leaves it to the backoff."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class DeliveryUncertain(DeliveryError):
    """The platform has been reached, but its answer was lost: nobody knows whether it took the reply."""


class DeliveryRejected(DeliveryError):
    """The platform says no, and would say no again: the reply goes to the dead letters."""
