"""What the plugin says, in English and Chinese, and how amounts and days are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from frontdesk.core.text import Text, Words, in_language
from frontdesk.plugins.orders.values import Order

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]  # strftime would follow the locale of the process


@dataclass(frozen=True)
class Offer:
    """A button: pressing it says `says`, as if the customer had written it."""

    label: Text
    says: Text


def fill(template: Text, **values: Words) -> Text:
    """The template with its fields filled in, in each of its languages."""
    return Text(
        **{
            language: words.format(**{name: in_language(value, language) for name, value in values.items()})
            for language, words in template.items()
        }
    )


def joined(parts: Iterable[Text], separator: Text) -> Text:
    given = list(parts)
    return Text(**{language: between.join(part[language] for part in given) for language, between in separator.items()})


def about(offer: Offer, order: Order) -> Offer:
    return Offer(offer.label, fill(offer.says, order=order.number))


def euros(cents: int) -> Text:
    return Text(en=f"€{cents / 100:,.2f}", zh=f"{cents / 100:,.2f} 欧元")


def day(time: datetime) -> Text:
    return Text(en=f"{time.day} {_MONTHS[time.month - 1]} {time.year}", zh=f"{time.year}年{time.month}月{time.day}日")


def listed(order: Order) -> Text:
    """The order in a few lines: what was bought and when, and the total. Neither the address nor the e-mail address."""
    lines = [fill(_LINE, quantity=str(line.quantity), name=line.name, amount=euros(line.total)) for line in order.lines]
    if order.shipping:
        lines.append(fill(_SHIPPING, amount=euros(order.shipping)))
    return fill(_LISTED, order=order.number, date=day(order.placed), lines=joined(lines, _NEW_LINE), total=euros(order.total))


def for_agents(order: Order) -> str:
    """The same as plain text."""
    return listed(order)["en"].replace("**", "")


_NEW_LINE = Text(en="\n", zh="\n")
_LINE = Text(en="- {quantity} × {name}, {amount}", zh="- {name} × {quantity}，{amount}")
_SHIPPING = Text(en="- Shipping, {amount}", zh="- 运费，{amount}")
_LISTED = Text(
    en="**{order}**, ordered on {date}:\n{lines}\n\nTotal: **{total}**",
    zh="**{order}**，下单日期：{date}\n{lines}\n\n合计：**{total}**",
)

AND = Text(en=", ", zh="、")
STATUS = Text(en="{status}\n\n{listed}", zh="{status}\n\n{listed}")

ASK_ORDER = Text(
    en="What is your order number? It looks like LL-10423 and stands in your confirmation e-mail.",
    zh="请问您的订单号是多少？订单号的样子是 LL-10423，写在确认邮件里。",
)
HINT_ORDER = Text(en="It is LL- and five digits.", zh="订单号是 LL- 加五位数字。")
WHERE_IS_THE_NUMBER = Text(
    en="The order number looks like LL-10423. It stands in the subject of your confirmation e-mail, and under *My orders* if you "
    "have an account. If you cannot find it, a person can look it up.",
    zh="订单号的样子是 LL-10423，写在确认邮件的标题里；如果您有账户，也可以在“我的订单”里看到。"
    "找不到的话，人工客服可以帮您查询。",
)
ASK_ADDRESS = Text(
    en="What is the new delivery address? Please give street and number, postcode and town.",
    zh="请问新的收货地址是什么？请写明街道、门牌号、邮编和城市。",
)
HINT_ADDRESS = Text(en="For example: Lindenstraße 5, 10969 Berlin.", zh="例如：Lindenstraße 5, 10969 Berlin。")
ASK_REASON = Text(en="Why would you like to return it?", zh="请问退货的原因是什么？")

UNKNOWN_ORDER = Text(en="I find no order {order}.", zh="没有查到订单 {order}。")
WHY_EMAIL = Text(
    en="To be sure that **{order}** is yours, I need the e-mail address that you ordered with.",
    zh="为了确认 **{order}** 是您本人的订单，需要核对下单时使用的邮箱。",
)
WRONG_EMAIL = Text(
    en="That is not the e-mail address of **{order}**.",
    zh="这不是 **{order}** 下单时使用的邮箱。",
)
TOO_MANY_WRONG = Text(
    en="I could not verify the order, so I'm passing you to a colleague who will. They will answer here.",
    zh="我无法核实该订单，已为您转接人工客服，客服会在这里回复您。",
)

STATUS_PROCESSING = Text(
    en="Your order is paid and being prepared. It has not left us yet, so you can still cancel it or correct the address.",
    zh="您的订单已付款，正在处理中，尚未发出。现在还可以取消订单或修改地址。",
)
STATUS_PACKED = Text(
    en="Your order is packed and waits for the carrier.",
    zh="您的订单已打包，正在等待承运商取件。",
)
STATUS_SHIPPED = Text(
    en="Your order is on its way: {carrier} has had it since {date}. Tracking number: `{tracking}`",
    zh="您的订单正在运送途中：承运商 {carrier} 已于{date}揽收。物流单号：`{tracking}`",
)
STATUS_DELIVERED = Text(
    en="Your order was delivered on {date} by {carrier} (tracking number `{tracking}`).",
    zh="您的订单已于{date}由 {carrier} 送达（物流单号：`{tracking}`）。",
)
STATUS_RETURN = Text(
    en="A return was registered on {date}. You get {amount} back once we have checked it.",
    zh="已于{date}登记退货。我们检查退回的商品后，会退还 {amount}。",
)
STATUS_CANCELLED = Text(
    en="Your order was cancelled on {date}. The money goes back to the way you paid.",
    zh="您的订单已于{date}取消，款项按原支付方式退回。",
)
STATUS_REFUNDED = Text(
    en="Your order was refunded. The money goes back to the way you paid.",
    zh="您的订单已退款，款项按原支付方式退回。",
)

CONFIRM_CANCEL = Text(
    en="{listed}\n\nShall I cancel this order? That cannot be undone.",
    zh="{listed}\n\n确定要取消这个订单吗？取消后无法恢复。",
)
KEPT = Text(en="All right, **{order}** stays as it is.", zh="好的，订单 **{order}** 保持不变。")
CANCELLED = Text(
    en="**{order}** is cancelled. {total} goes back to the way you paid, within 5 working days.",
    zh="订单 **{order}** 已取消。{total}将在 5 个工作日内按原支付方式退回。",
)
CANCEL_ENGRAVED = Text(
    en="**{order}** has personalised items, and those can be cancelled only within two hours, before the engraving starts.",
    zh="订单 **{order}** 含有个性定制商品，只能在下单后两小时内、开始刻字之前取消。",
)
CANCEL_PACKED = Text(
    en="**{order}** is packed already and waits for the carrier, so I cannot cancel it any more. You can refuse the parcel "
    "at the door, or send it back within 30 days after delivery.",
    zh="订单 **{order}** 已经打包，正在等待承运商取件，无法取消。您可以当面拒收，或在收货后 30 天内退货。",
)
CANCEL_SHIPPED = Text(
    en="**{order}** is on its way already and cannot be stopped. You can refuse the parcel at the door, or send it back "
    "within 30 days after delivery.",
    zh="订单 **{order}** 已经发货，无法拦截。您可以当面拒收，或在收货后 30 天内退货。",
)
CANCEL_DELIVERED = Text(
    en="**{order}** has been delivered, so it can no longer be cancelled. You can return it within 30 days after delivery.",
    zh="订单 **{order}** 已经送达，无法取消。您可以在收货后 30 天内退货。",
)
ALREADY_CANCELLED = Text(
    en="**{order}** is cancelled already. The money goes back to the way you paid.",
    zh="订单 **{order}** 已经取消，款项按原支付方式退回。",
)
ALREADY_REFUNDED = Text(
    en="**{order}** has been refunded already. The money goes back to the way you paid.",
    zh="订单 **{order}** 已经退款，款项按原支付方式退回。",
)

CONFIRM_MOVE = Text(
    en="**{order}** will go to:\n\n> {address}\n\nShall I change the address?",
    zh="**{order}** 将寄往：\n\n> {address}\n\n确定修改地址吗？",
)
MOVED = Text(
    en="Done: **{order}** will be delivered to {address}.",
    zh="已修改：订单 **{order}** 将寄往 {address}。",
)
MOVE_PACKED = Text(
    en="**{order}** is packed already, with its label on it, so I cannot change the address any more.",
    zh="订单 **{order}** 已经打包并贴好面单，无法再修改地址。",
)
MOVE_SHIPPED = Text(
    en="The carrier has **{order}** already, and we cannot redirect it. Many carriers let you choose a neighbour or a parcel "
    "shop through the tracking link.",
    zh="承运商已经取走 **{order}**，我们无法改址。很多承运商允许您通过物流链接改送邻居或代收点。",
)
MOVE_DELIVERED = Text(
    en="**{order}** has been delivered, so there is no address to change any more.",
    zh="订单 **{order}** 已经送达，无法再修改地址。",
)
OTHER_COUNTRY = Text(
    en="The new address must be in the country of the order, because shipping costs and taxes differ. For another country, "
    "please cancel **{order}** and order again.",
    zh="新地址必须在原订单的国家内，因为运费和税不同。要寄到其他国家，请取消 **{order}** 后重新下单。",
)
POST_BOX = Text(
    en="Our carriers cannot deliver to a post-office box.",
    zh="承运商无法配送到邮政信箱。",
)

CONFIRM_REFUND = Text(
    en="{listed}\n\nYou send back: {items}. You get **{amount}** back.{label}{kept} Shall I register the return?",
    zh="{listed}\n\n退回商品：{items}。退款金额：**{amount}**{label}。{kept}确定登记退货吗？",
)
LABEL_DEDUCTED = Text(en=" The return label, {fee}, is already deducted.", zh="（已扣除退货标签费 {fee}）")
NOT_COMING_BACK = Text(
    en=" Gift cards and personalised items stay with you and are not refunded.",
    zh="礼品卡和个性定制商品不能退款。",
)
REFUND_REGISTERED = Text(
    en="The return of **{order}** is registered. Print the label under *My orders* and hand in the parcel within 14 days. We "
    "check it within 3 working days after it has reached us, then {amount} goes back to the way you paid.",
    zh="订单 **{order}** 的退货已登记。请在“我的订单”里打印退货标签，并在 14 天内寄出。"
    "我们收到后 3 个工作日内检查，然后将 {amount}按原支付方式退回。",
)
REFUND_PROCESSING = Text(
    en="**{order}** has not been sent yet, so you need no refund: you can simply cancel it.",
    zh="订单 **{order}** 还没有发出，不需要退货，直接取消即可。",
)
REFUND_ON_ITS_WAY = Text(
    en="**{order}** has not been delivered yet. Refuse the parcel at the door, or come back once you have it: from then on you "
    "have 30 days.",
    zh="订单 **{order}** 还没有送达。您可以当面拒收，或者收货后再来办理，收货后有 30 天时间。",
)
REFUND_TOO_LATE = Text(
    en="**{order}** was delivered on {date}, and returns are possible for 30 days after delivery. If something is faulty, the "
    "warranty still covers it, and a person can help.",
    zh="订单 **{order}** 已于{date}送达，退货期限是收货后 30 天。如果商品有质量问题，仍在保修范围内，人工客服可以帮您。",
)
NOT_RETURNABLE = Text(
    en="**{order}** has only gift cards or personalised items, and those cannot be returned. If something is faulty or we "
    "made a mistake, a person can help.",
    zh="订单 **{order}** 只有礼品卡或个性定制商品，不能退货。如果商品有质量问题或我们出了错，人工客服可以帮您。",
)
ALREADY_RETURNED = Text(
    en="The return of **{order}** was registered on {date}. {amount} goes back to you once we have checked the parcel.",
    zh="订单 **{order}** 的退货已于{date}登记。我们检查退回的包裹后，会退还 {amount}。",
)
DAMAGED = Text(
    en="I'm sorry about that. A colleague decides whether a new one or the money is better, and answers here. A photo of the "
    "item and of the box helps: you can send them now.",
    zh="非常抱歉。客服人员会决定补发还是退款，并在这里回复您。请先把商品和包装盒的照片发过来，方便处理。",
)
PERSON_DECIDES = Text(
    en="A refund above €200 is decided by a person. I'm passing your request on; you hear from us within 2 working days.",
    zh="超过 200 欧元的退款由客服人员审核决定。我已转交您的申请，我们会在 2 个工作日内答复您。",
)

TRACK = Offer(
    Text(en="Where is it?", zh="包裹到哪里了？"),
    Text(en="Where is my order {order}?", zh="我的订单 {order} 到哪里了？"),
)
CANCEL = Offer(
    Text(en="Cancel the order", zh="取消订单"),
    Text(en="I want to cancel my order {order}", zh="我想取消我的订单 {order}"),
)
MOVE = Offer(
    Text(en="Change the address", zh="修改地址"),
    Text(en="I want to change the delivery address of order {order}", zh="我想修改订单 {order} 的收货地址"),
)
RETURN = Offer(
    Text(en="Return it", zh="退货"),
    Text(en="I want to return order {order} for a refund", zh="订单 {order} 我想退货退款"),
)
PERSON = Offer(Text(en="Talk to a person", zh="转人工客服"), Text(en="/human"))
