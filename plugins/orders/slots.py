"""What customers tell about an order: its number, a delivery address, the reason for a return."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from frontdesk.core.dialogue.slots import Choice, Found, FreeText, Pattern, SlotContext
from frontdesk.core.text import Text
from frontdesk.plugins.orders import words


class OrderId(Pattern):
    """ "LL-10423", "ll 10423", "order no. 10423", "订单10423"; in an answer also the bare digits."""

    ask = words.ASK_ORDER
    hint = words.HINT_ORDER
    pattern = r"LL-\d{5}"
    loose = (
        r"(?:ll|#|(?:order|bestellung|commande|pedido)(?:\s+(?:number|nummer|no\.?|nr\.?|id|numéro|número))?"
        r"|订单(?:号|编号)?|訂單(?:編號|號)?|单号)(?:是|为|为是|:|#|\s|-|is){0,4}(?P<digits>\d{5})"
    )
    bare = r"(?P<digits>\d{5})"
    canonical = "LL-{digits}"


_INTRODUCED = re.compile(
    r"(?:address\s*(?:is|to|:)|\b(?:deliver|send|ship)\s+(?:it|this|that|them|my order)\s+to|\bchange\b.{0,60}?\bto"
    r"|地址(?:改成|改为|改到|换成|是|为|：|:)|(?:寄到|送到|改寄到)|改成|改为)\s*(?P<address>[^?？!！]{8,})",
    re.IGNORECASE | re.DOTALL,
)


class Address(FreeText):
    """A delivery address on one line: it has a number in it and at least two words, or Chinese characters.

    In an answer the whole text; elsewhere what follows "change the address to" and the like.
    """

    ask: ClassVar[Text] = words.ASK_ADDRESS
    hint: ClassVar[Text] = words.HINT_ADDRESS
    max_length = 300

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[str]]:
        introduced = _INTRODUCED.search(text[: 4 * cls.max_length])
        start, end = introduced.span("address") if introduced else (0, len(text))
        if not introduced and not context.answering:
            return []
        written = text[start:end]
        value = " ".join(written.split()).strip(" .。")
        if len(value) > cls.max_length or not _like_an_address(value):
            return []
        return [Found(value=value, start=start, end=end, text=written)]


def _like_an_address(text: str) -> bool:
    without_orders = re.sub(r"(?i)\bll[ -]?\d{5}\b", "", text)
    enough = len(text.split()) >= 2 or len(re.findall(r"[\u4e00-\u9fff]", text)) >= 4
    return bool(re.search(r"\d", without_orders)) and enough and not re.search(r"[?？@]", text)


def is_post_box(address: str) -> bool:
    return bool(re.search(r"(?i)\bp\.? ?o\.? ?box\b|\bpostbus\b|\bpostfach\b|\bbo[iî]te postale\b|邮政信箱", address))


class Reason(Choice):
    ask = words.ASK_REASON
    options: ClassVar[Mapping[str, Mapping[str, Sequence[str]]]] = {
        "damaged": {
            "en": ["It is damaged or faulty", "damaged", "broken", "faulty", "defective"],
            "zh": ["商品损坏或有质量问题", "损坏", "坏了", "碎了", "质量问题"],
        },
        "wrong_item": {
            "en": ["It is not what I ordered", "wrong item", "not what I ordered"],
            "zh": ["发错货了", "发错了"],
        },
        "changed_mind": {
            "en": ["I changed my mind", "I don't like it", "I no longer need it", "changed my mind", "it doesn't fit"],
            "zh": ["我改变主意了", "不喜欢", "不想要了", "不需要了", "不合适"],
        },
        "other": {"en": ["Another reason", "something else"], "zh": ["其他原因"]},
    }
