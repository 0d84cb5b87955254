"""Orders as the shop knows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from frontdesk.core.text import Text

Status = Literal["processing", "packed", "shipped", "delivered", "cancelled", "refunded"]
LineKind = Literal["item", "gift_card", "personalised"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """So many pieces of one product. Amounts are euro cents."""

    name: Text
    kind: LineKind
    quantity: int
    price: int

    @property
    def total(self) -> int:
        return self.quantity * self.price


@dataclass(frozen=True, kw_only=True)
class Return:
    """A return that was registered, and what is paid back for it, in euro cents."""

    reason: str
    amount: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Order:
    """`country` is an ISO 3166 code, `changed` the time of a cancellation or another change, `shipping` euro cents."""

    number: str
    status: Status
    email: str
    customer: str
    address: str
    country: str
    placed: datetime
    lines: tuple[Line, ...]
    shipping: int
    express: bool = False
    shipped: datetime | None = None
    delivered: datetime | None = None
    changed: datetime | None = None
    carrier: str = ""
    tracking: str = ""
    returned: Return | None = None

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines) + self.shipping
