"""Calls a plugin's functions with what their parameters ask for.

Annotations are read once, when the function is registered, so that wrong wiring has the name of the function and the
parameter, and never waits for the first message.
"""

import inspect
import types
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from frontdesk.core.dialogue.slots import Slot, SlotType
from frontdesk.core.errors import WiringError


class Origin(Enum):
    """Where a parameter's value comes from."""

    SLOT = "slot"
    GIVEN = "given"
    PROVIDED = "provided"
    ARGUMENT = "argument"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Any
    source: Origin
    optional: bool


class Handler:
    """A plugin's function and what it needs.

    `given` are the types whose values come with the call (`Turn`, a pattern's `Match`); with `arguments`, parameters of other
    types are filled by name from the question that led here; with `slots`, there may be slots; everything else must be provided
    by type.
    """

    def __init__(
        self,
        plugin: str,
        function: Callable[..., Awaitable[Any]],
        *,
        given: tuple[type, ...],
        arguments: bool = False,
        slots: bool = False,
    ) -> None:
        self.plugin = plugin
        self.function = function
        self.name: str = getattr(function, "__name__", repr(function))
        if not inspect.iscoroutinefunction(function):
            raise WiringError(f"{self}: must be declared with `async def`")
        try:
            hints = get_type_hints(function)
        except NameError as error:
            raise WiringError(f"{self}: {error}; annotations must name things that exist where the plugin is defined") from error
        self.parameters = tuple(
            self._parameter(parameter, hints, given, arguments) for parameter in inspect.signature(function).parameters.values()
        )
        if self.slots and not slots:
            raise WiringError(f"{self}: parameter {next(iter(self.slots))!r} is a slot, which only an intent's handler can have")

    def __str__(self) -> str:
        return f"plugin {self.plugin!r}, handler {self.name!r}"

    @property
    def slots(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters if parameter.source is Origin.SLOT}

    @property
    def provided(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.source is Origin.PROVIDED)

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Raises `WiringError` if a question's `args` do not fit the step they lead to."""
        wanted = {parameter.name: parameter for parameter in self.parameters if parameter.source is Origin.ARGUMENT}
        if unknown := arguments.keys() - wanted.keys():
            raise WiringError(f"{self}: has no parameter for {', '.join(sorted(unknown))}")
        if missing := {name for name, parameter in wanted.items() if not parameter.optional} - arguments.keys():
            raise WiringError(f"{self}: `args` lack {', '.join(sorted(missing))}")

    async def __call__(
        self,
        given: Mapping[type, Any],
        provided: Mapping[Any, Any],
        slots: Mapping[str, Slot[Any]] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Any:
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            match parameter.source:
                case Origin.GIVEN:
                    values[parameter.name] = given[parameter.type]
                case Origin.PROVIDED:
                    values[parameter.name] = provided.get(parameter.type)
                case Origin.SLOT:
                    values[parameter.name] = (slots or {}).get(parameter.name)
                case Origin.ARGUMENT:
                    if arguments and parameter.name in arguments:
                        values[parameter.name] = arguments[parameter.name]
        return await self.function(**values)

    def _parameter(
        self, parameter: inspect.Parameter, hints: Mapping[str, Any], given: tuple[type, ...], arguments: bool
    ) -> Parameter:
        name = parameter.name
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise WiringError(f"{self}: parameter {name!r} must be an ordinary one, without * or /")
        if name not in hints:
            raise WiringError(f"{self}: parameter {name!r} needs an annotation that says what it gets")
        annotation, optional = _without_none(hints[name])
        if get_origin(annotation) is Slot:
            (slot_type,) = get_args(annotation)
            if not (isinstance(slot_type, type) and issubclass(slot_type, SlotType)):
                raise WiringError(f"{self}: parameter {name!r}: {slot_type!r} is not a slot type")
            return Parameter(name, slot_type, Origin.SLOT, optional)
        if annotation is Slot:
            raise WiringError(f"{self}: parameter {name!r}: say which kind of slot, such as Slot[Date]")
        base = get_origin(annotation) or annotation
        if base in given:
            return Parameter(name, base, Origin.GIVEN, optional)
        if arguments and (base in _JSON_TYPES or parameter.default is not parameter.empty):
            return Parameter(name, annotation, Origin.ARGUMENT, optional or parameter.default is not parameter.empty)
        return Parameter(name, annotation, Origin.PROVIDED, optional)


_JSON_TYPES = (str, int, float, bool, list, dict, Any)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = tuple(option for option in get_args(annotation) if option is not type(None))
        if len(rest) == 1 and len(rest) < len(get_args(annotation)):
            return rest[0], True
    return annotation, False
