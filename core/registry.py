"""The plugins of an application, wired together: what they offer, and what their handlers are given."""

import inspect
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, get_origin

from pydantic import BaseModel

from frontdesk.core.dialogue.slots import Slot
from frontdesk.core.errors import WiringError
from frontdesk.core.handlers import Handler
from frontdesk.core.outcomes import Ask, AskSlot, Confirm, Escalate, Outcome, Pass, Reply
from frontdesk.core.plugin import Command, Intent, Plugin, Provider
from frontdesk.core.turn import Turn

OUTCOMES = (Reply, Ask, Confirm, AskSlot, Escalate, Pass)


class Registry:
    """`settings` are the plugins' settings models by plugin name, `provided` what the application itself can inject, by type.

    Raises `WiringError` for two plugins, commands or providers of one name or type, and for a parameter that nobody fills.
    """

    def __init__(
        self,
        plugins: Sequence[Plugin],
        settings: Mapping[str, BaseModel] | None = None,
        provided: Mapping[Any, Any] | None = None,
    ) -> None:
        self.plugins: dict[str, Plugin] = {}
        self.intents: dict[str, Intent] = {}
        self.commands: dict[str, Command] = {}
        self._provided: dict[Any, Any] = dict(provided or {})
        self._providers: dict[Any, Provider] = {}
        self._exit = AsyncExitStack()
        for plugin in plugins:
            self._add(plugin, (settings or {}).get(plugin.name))
        for plugin in plugins:
            self._check(plugin)

    async def start(self) -> None:
        """Makes what the plugins provide, each when what it needs is there."""
        waiting = dict(self._providers)
        while waiting:
            ready = [made for made, provider in waiting.items() if not set(provider.parameters.values()) & waiting.keys()]
            if not ready:
                names = ", ".join(provider.name for provider in waiting.values())
                raise WiringError(f"these providers need each other: {names}")
            for made in ready:
                self._provided[made] = await self._make(waiting.pop(made))

    async def stop(self) -> None:
        """Closes what was made, the last first."""
        await self._exit.aclose()

    async def call(
        self,
        handler: Handler,
        turn: Turn,
        *,
        given: Mapping[type, Any] | None = None,
        slots: Mapping[str, Slot[Any]] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Raises what the handler raises, and `WiringError` if it returns anything but an outcome."""
        return checked(handler, await self.value_of(handler, turn, given=given, slots=slots, arguments=arguments))

    async def value_of(
        self,
        handler: Handler,
        turn: Turn,
        *,
        given: Mapping[type, Any] | None = None,
        slots: Mapping[str, Slot[Any]] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Any:
        turn.plugin = handler.plugin
        return await handler({Turn: turn, **(given or {})}, self._provided, slots, arguments)

    def _add(self, plugin: Plugin, settings: BaseModel | None) -> None:
        if plugin.name in self.plugins:
            raise WiringError(f"two plugins are named {plugin.name!r}: disable one of them in `plugins.disabled`")
        self.plugins[plugin.name] = plugin
        self.intents |= {intent.id: intent for intent in plugin.intents.values()}
        for command in plugin.commands.values():
            if other := self.commands.get(command.name):
                raise WiringError(f"{command.handler}: the command /{command.name} belongs to {other.handler} already")
            self.commands[command.name] = command
        if plugin.settings is not None:
            self._provided[plugin.settings] = settings if settings is not None else plugin.settings()
        for provider in plugin.providers:
            if provider.type in self._providers or provider.type in self._provided:
                raise WiringError(f"{provider.name}: {provider.type!r} is provided already")
            self._providers[provider.type] = provider

    def _check(self, plugin: Plugin) -> None:
        known = self._providers.keys() | self._provided.keys()
        for handler in plugin.handlers():
            for parameter in handler.provided:
                if parameter.type not in known and not parameter.optional:
                    kind = getattr(parameter.type, "__name__", parameter.type)
                    raise WiringError(
                        f"{handler}: nobody provides {kind} for parameter {parameter.name!r}; "
                        "add a @plugin.provide function that returns it, enable the plugin that does, or check the annotation"
                    )
        for provider in plugin.providers:
            for name, wanted in provider.parameters.items():
                if wanted not in known:
                    raise WiringError(f"{provider.name}: nobody provides {wanted!r} for parameter {name!r}")

    async def _make(self, provider: Provider) -> Any:
        arguments = {name: self._provided[wanted] for name, wanted in provider.parameters.items()}
        if inspect.isasyncgenfunction(provider.function):
            made = await self._exit.enter_async_context(asynccontextmanager(provider.function)(**arguments))
        else:
            made = provider.function(**arguments)
            if inspect.isawaitable(made):
                made = await made
        wanted = provider.type
        is_class = isinstance(wanted, type) and get_origin(wanted) is None and not getattr(wanted, "_is_protocol", False)
        if made is None or (is_class and not isinstance(made, wanted)):
            raise WiringError(f"{provider.name}: made {type(made).__name__}, but its annotation says {wanted!r}")
        return made


def checked(handler: Handler, outcome: object) -> Outcome:
    """Raises `WiringError` for what is no outcome."""
    if isinstance(outcome, OUTCOMES):
        return outcome
    raise WiringError(f"{handler}: returned {type(outcome).__name__}, but must return an outcome: Reply, Ask, Confirm, ...")
