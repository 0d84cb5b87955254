"""Prometheus metrics: counts and times per channel and plugin. Label values are names from the configuration, never user data."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from frontdesk.core.chat import Usage
from frontdesk.core.store import Health

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages = Counter("frontdesk_messages", "Messages that came in", ("channel", "result"), registry=self.registry)
        self._turns = Histogram(
            "frontdesk_turn_seconds", "Time of a turn", ("channel", "plugin", "result"), buckets=SECONDS, registry=self.registry
        )
        self._deliveries = Histogram(
            "frontdesk_delivery_seconds",
            "Time of a delivery attempt",
            ("channel", "result"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._models = Histogram(
            "frontdesk_model_seconds",
            "Time of a call of a model",
            ("model", "operation", "result"),
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
            registry=self.registry,
        )
        self._tokens = Counter(
            "frontdesk_model_tokens", "Tokens read and written", ("model", "direction"), registry=self.registry
        )
        self._cost = Counter("frontdesk_model_cost", "Cost, in the currency of the prices", ("model",), registry=self.registry)
        self._conversations = Counter(
            "frontdesk_model_conversations", "Conversations that a model was used in, a day", ("model",), registry=self.registry
        )
        self._ready = Gauge("frontdesk_model_ready", "1 while a model answers", ("model",), registry=self.registry)
        self._depth = Gauge("frontdesk_queue_depth", "Entries that wait", ("queue",), registry=self.registry)
        self._counters: dict[tuple[str, str], Counter] = {}
        self._histograms: dict[tuple[Histogram, tuple[str, ...]], Histogram] = {}

    def accepted(self, channel: str, *, duplicate: bool) -> None:
        key = (channel, "duplicate" if duplicate else "accepted")
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._messages.labels(*key)
        counter.inc()

    def turn(self, channel: str, plugin: str, result: str, seconds: float) -> None:
        """`result` is `done`, `retried`, `failed` or `silent`."""
        self._observe(self._turns, (channel, plugin, result), seconds)

    def delivery(self, channel: str, result: str, seconds: float) -> None:
        """`result` is `sent`, `deferred` or `dead`."""
        self._observe(self._deliveries, (channel, result), seconds)

    def model(self, model: str, operation: str, result: str, seconds: float) -> None:
        """`operation` is `chat`, `embed`, `transcribe` or `speak`; `result` is `done`, `cancelled` or the name of an error."""
        self._observe(self._models, (model, operation, result), seconds)

    def used(self, model: str, usage: Usage, *, new_conversation: bool) -> None:
        """Cost over conversations is the cost per conversation: `new_conversation` says that this one is not counted today."""
        self._tokens.labels(model, "prompt").inc(usage.prompt)
        self._tokens.labels(model, "completion").inc(usage.completion)
        self._cost.labels(model).inc(usage.cost)
        if new_conversation:
            self._conversations.labels(model).inc()

    def render(self, health: Health, models: Mapping[str, bool]) -> bytes:
        """The text format of Prometheus. `models` says which of them are ready."""
        for model, ready in models.items():
            self._ready.labels(model).set(ready)
        for queue, depth in (("inbox", health.inbox), ("outbox", health.outbox), ("dead", health.dead)):
            self._depth.labels(queue).set(depth)
        return generate_latest(self.registry)

    def _observe(self, histogram: Histogram, labels: tuple[str, ...], seconds: float) -> None:
        """Looking up a label's child is slow in the client library, and this is on the path of every message."""
        child = self._histograms.get((histogram, labels))
        if child is None:
            child = self._histograms[histogram, labels] = histogram.labels(*labels)
        child.observe(seconds)
