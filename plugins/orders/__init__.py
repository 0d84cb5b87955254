"""The demo shop's orders: status, cancellation, delivery address and refund.

Whoever knows an order's number can see it and cancel it after confirmation; changing the address and a refund also need the
e-mail address of the order. Too many wrong numbers or addresses in a conversation call a person.
"""

from frontdesk.plugins.orders.database import Orders
from frontdesk.plugins.orders.plugin import OrdersSettings, plugin

__all__ = ["Orders", "OrdersSettings", "plugin"]
