"""What a slot is: a typed value read from the customer's words.

A plugin author names the type in the handler's signature, `order: Slot[OrderId]`, and reads `order.value`. The type argument is
the slot type, not the value's type, because two slots of one value type (an order number and a voucher, both `str`) are read
and asked for differently. `Slot.value` is still typed exactly: its declaration binds `T` through `SlotType[T]`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Generic, TypeVar, cast

from frontdesk.core.messages import Choice as Button
from frontdesk.core.text import Words

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S_co = TypeVar("S_co", bound="SlotType[Any]", covariant=True)

SCAN_LIMIT = 10_000
"""Characters of a text that are searched; what a customer answers stands well before, and a flood must not cost the turn."""


@dataclass(frozen=True, kw_only=True)
class SlotContext:
    """What is known when a text is read.

    `now` is aware. `region` is an ISO 3166 country code, which decides how "03/04", "$" and a phone number without a country
    code are read. `answering` is True when the text answers the question for this slot: then a bare "12" is a number and "the
    second one" a choice; otherwise only what can hardly be anything else is found.
    """

    language: str
    now: datetime
    timezone: tzinfo
    region: str
    answering: bool

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("SlotContext.now must be an aware datetime")

    @property
    def local_now(self) -> datetime:
        return self.now.astimezone(self.timezone)


@dataclass(frozen=True, kw_only=True)
class Found(Generic[T_co]):
    """A candidate: `text[start:end]` of the text that was searched, and the value it stands for."""

    value: T_co
    start: int
    end: int
    text: str


class SlotType(Generic[T]):
    """How one kind of value is named, asked for, found in a text and kept as JSON.

    Subclassed by plugin authors, never instantiated. `ask` is the question when the value is missing, `hint` says what a valid
    answer looks like and is added when the first answer could not be read.
    """

    name: ClassVar[str] = ""
    ask: ClassVar[Words] = ""
    hint: ClassVar[Words] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")

    def __new__(cls) -> "SlotType[T]":
        raise TypeError(f"{cls.__name__} is a slot type: write Slot[{cls.__name__}] as an annotation, do not call it")

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[T]]:
        """Every candidate in `text`, in order, without overlaps. Never raises, whatever the text."""
        raise NotImplementedError

    @classmethod
    def choices(cls, language: str) -> Sequence[Button]:
        """The buttons that go with the question; none where the answer can be anything."""
        return ()

    @classmethod
    def to_json(cls, value: T) -> Any:
        return value

    @classmethod
    def from_json(cls, data: Any) -> T:
        """The value that `to_json` wrote. Raises `ValueError` or `TypeError` for anything else."""
        return cast(T, data)


class Slot(Generic[S_co]):
    """The value handed to a handler, beside the customer's own words. Immutable, compared by value."""

    __slots__ = ("_text", "_value")
    __match_args__ = ("value", "text")

    def __init__(self, *, value: Any, text: str) -> None:
        self._value = value
        self._text = text

    @property
    def value(self: "Slot[SlotType[T]]") -> T:
        return cast(T, self._value)

    @property
    def text(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Slot):
            return NotImplemented
        return bool(self._value == other._value) and self._text == other._text

    def __hash__(self) -> int:
        return hash((self._value, self._text))

    def __repr__(self) -> str:
        return f"Slot(value={self._value!r}, text={self._text!r})"


def without_overlaps(candidates: Iterable[Found[T]]) -> list[Found[T]]:
    """The candidates in order of appearance; of two that overlap the earlier one stays, and of two at one place the longer."""
    kept: list[Found[T]] = []
    for found in sorted(candidates, key=lambda found: (found.start, -found.end)):
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return kept
