"""How a plugin is written: one file, decorators, handlers that return values.

    plugin = Plugin("orders", settings=OrdersSettings)

    @plugin.intent("order_status", description="Where an order is", examples=["where is my order", "我的订单到哪里了"])
    async def status(turn: Turn, order_id: Slot[OrderId], orders: Orders) -> Reply: ...

A decorator returns the function unchanged, so that a test can call it. Parameters are filled by their annotations: the
`Turn`, slots, the plugin's settings model, and whatever some plugin or the application provides under that type.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NewType, TypeVar, get_type_hints

from pydantic import BaseModel

from frontdesk.core.dialogue.slots import SlotType
from frontdesk.core.errors import WiringError
from frontdesk.core.handlers import Handler
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import Outcome
from frontdesk.core.text import Words
from frontdesk.core.turn import Answer, Arguments, Proceed, Turn

H = TypeVar("H", bound=Callable[..., Awaitable[Outcome]])
C = TypeVar("C", bound=Callable[..., Awaitable[Sequence[Choice]]])
P = TypeVar("P", bound=Callable[..., Any])

DataFolder = NewType("DataFolder", Path)
"""Injected: where a plugin keeps files of its own. It exists, and relative paths in a plugin's settings are meant from here."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_COMMAND = re.compile(r"[a-z][a-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Intent:
    """Something a customer may want. `slots` are asked for in the order of the handler's parameters."""

    plugin: str
    name: str
    description: Words
    examples: tuple[str, ...]
    handler: Handler
    asks: Mapping[str, Words]
    offered: bool = True

    @property
    def id(self) -> str:
        return f"{self.plugin}.{self.name}"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    help: Words
    handler: Handler
    always: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    regex: re.Pattern[str]
    handler: Handler
    always: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """Makes the value that is injected for `type`. An async generator is closed when the application stops."""

    plugin: str
    type: Any
    function: Callable[..., Any]
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"plugin {self.plugin!r}, provider {self.function.__name__!r}"


class Plugin:
    """A set of intents, commands, patterns and answers that belong together."""

    def __init__(self, name: str, *, description: str = "", settings: type[BaseModel] | None = None) -> None:
        if not _NAME.match(name):
            raise WiringError(f"plugin {name!r}: a name has lower-case letters, digits and underscores only")
        self.name = name
        self.description = description
        self.settings = settings
        self.intents: dict[str, Intent] = {}
        self.commands: dict[str, Command] = {}
        self.patterns: list[Pattern] = []
        self.answers: list[Handler] = []
        self.steps: dict[str, Handler] = {}
        self.options_of: dict[type[SlotType[Any]], Handler] = {}
        self.middlewares: list[Handler] = []
        self.resolved_hooks: list[Handler] = []
        self.providers: list[Provider] = []

    def __repr__(self) -> str:
        return f"Plugin({self.name!r})"

    def intent(
        self,
        name: str,
        *,
        examples: Sequence[str],
        description: Words = "",
        asks: Mapping[str, Words] | None = None,
        offered: bool = True,
    ) -> Callable[[H], H]:
        """Handles what is meant like the `examples`, which may be in any languages; five or more of each are a good start.

        `description` is what the customer is offered when two intents are equally likely. `asks` has other questions for
        slots than those of their types, by parameter. `offered=False` is for small talk, which nobody wants to see in a list.
        """
        if name in self.intents:
            raise WiringError(f"plugin {self.name!r}: intent {name!r} is declared twice")
        if not _NAME.match(name):
            raise WiringError(f"plugin {self.name!r}: intent {name!r}: use lower-case letters, digits and underscores only")
        texts = tuple(example.strip() for example in examples)
        if isinstance(examples, str) or not all(texts) or not texts:
            raise WiringError(f"plugin {self.name!r}: intent {name!r} needs a list of example utterances, none of them empty")

        def register(function: H) -> H:
            handler = Handler(self.name, function, given=(Turn,), slots=True)
            if unknown := (asks or {}).keys() - handler.slots.keys():
                raise WiringError(f"{handler}: `asks` names no slot: {', '.join(sorted(unknown))}")
            words = description or name.replace("_", " ")
            self.intents[name] = Intent(self.name, name, words, texts, handler, dict(asks or {}), offered)
            return function

        return register

    def command(self, name: str, *, help: Words, always: bool = False) -> Callable[[H], H]:
        """Handles `/name`; what follows it is injected as `Arguments`.

        With `always` it is obeyed while a person has the conversation too, and so is the answer to what it asks by buttons: for
        the customer's own settings.
        """
        if not _COMMAND.match(name):
            raise WiringError(
                f"plugin {self.name!r}: command {name!r}: use lower-case letters, digits, underscores and hyphens only, no slash"
            )
        if name in self.commands:
            raise WiringError(f"plugin {self.name!r}: command {name!r} is declared twice")

        def register(function: H) -> H:
            self.commands[name] = Command(name, help, Handler(self.name, function, given=(Turn, Arguments)), always)
            return function

        return register

    def pattern(self, regex: str, flags: re.RegexFlag = re.IGNORECASE, *, always: bool = False) -> Callable[[H], H]:
        """Handles a text in which the pattern is found; the `re.Match` is injected. `always` is as for commands."""
        compiled = re.compile(regex, flags)

        def register(function: H) -> H:
            self.patterns.append(Pattern(compiled, Handler(self.name, function, given=(Turn, re.Match)), always))
            return function

        return register

    def answer(self, function: H) -> H:
        """Tries to answer what no intent took. Return `Pass` when the evidence is weak."""
        self.answers.append(Handler(self.name, function, given=(Turn,)))
        return function

    def step(self, function: H) -> H:
        """Goes on after a question: named by `Ask(then=...)` or `Confirm(then=...)`. The customer's words come as `Answer`."""
        handler = Handler(self.name, function, given=(Turn, Answer), arguments=True)
        if handler.name in self.steps:
            raise WiringError(f"plugin {self.name!r}: step {handler.name!r} is declared twice")
        self.steps[handler.name] = handler
        return function

    def options(self, slot_type: type[SlotType[Any]]) -> Callable[[C], C]:
        """Offers choices when a slot of that type is asked for, such as the customer's own orders."""

        def register(function: C) -> C:
            self.options_of[slot_type] = Handler(self.name, function, given=(Turn,))
            return function

        return register

    def middleware(self, function: H) -> H:
        """Wraps every turn: `await proceed()` runs the rest and returns its outcome."""
        self.middlewares.append(Handler(self.name, function, given=(Turn, Proceed)))
        return function

    def resolved(self, function: H) -> H:
        """Runs when a conversation was resolved, by an agent or by a reply that resolves; what it returns is said."""
        self.resolved_hooks.append(Handler(self.name, function, given=(Turn,)))
        return function

    def provide(self, function: P) -> P:
        """Registers what makes the value for its return annotation, once, at start.

        The function may be plain, async, or an async generator (the part after `yield` runs when the application stops).
        Its parameters are injected as well.
        """
        hints = get_type_hints(function)
        made = hints.pop("return", None)
        if made is None:
            raise WiringError(
                f"plugin {self.name!r}, provider {function.__name__!r}: the return annotation must say what it makes"
            )
        if getattr(made, "__origin__", None) is AsyncIterator or getattr(made, "__name__", "") == "AsyncGenerator":
            made = made.__args__[0]
        self.providers.append(Provider(self.name, made, function, hints))
        return function

    def handlers(self) -> Iterator[Handler]:
        """All of them, for checks."""
        for intent in self.intents.values():
            yield intent.handler
        for command in self.commands.values():
            yield command.handler
        for pattern in self.patterns:
            yield pattern.handler
        yield from self.answers
        yield from self.steps.values()
        yield from self.options_of.values()
        yield from self.middlewares
        yield from self.resolved_hooks

    def step_name(self, function: Callable[..., Any]) -> str:
        """Raises `WiringError` if the function is not a step of this plugin."""
        name: str = getattr(function, "__name__", repr(function))
        if name not in self.steps or self.steps[name].function is not function:
            raise WiringError(f"plugin {self.name!r}: {name!r} is not a step; put @plugin.step above it")
        return name
