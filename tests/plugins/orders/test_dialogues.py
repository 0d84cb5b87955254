"""Whole conversations. The bot is shared: each test has a conversation and orders of its own."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from frontdesk.core.runner import TurnLimits
from frontdesk.plugins.orders import Orders, plugin
from frontdesk.plugins.orders.values import Order
from frontdesk.testing import Bot

Says = Callable[[str], str]


@pytest.fixture(scope="module")
def shop() -> Iterator[Bot]:
    with Bot(plugin, limits=TurnLimits(seconds=100), seconds=110) as bot:
        yield bot


@pytest.fixture
def says(shop: Bot, request: pytest.FixtureRequest) -> Iterator[Says]:
    """Says something, or presses what begins with "!", and returns all that the bot answers."""

    def speak(text: str) -> str:
        conversation = request.node.name
        replies = (
            shop.presses(text[1:], conversation=conversation)
            if text.startswith("!")
            else shop.says(text, conversation=conversation)
        )
        return "\n".join(reply.text for reply in replies)

    yield speak
    assert not shop.dead_letters()


@pytest.fixture
def stored(shop: Bot) -> Callable[[str], Order]:
    orders: Orders = shop.app.registry._provided[Orders]

    def read(number: str) -> Order:
        order = asyncio.run_coroutine_threadsafe(orders.get(number), shop._loop).result(10)
        assert order is not None
        return order

    return read


def test_cancel_after_confirmation(says: Says, stored: Callable[[str], Order]) -> None:
    assert "order number" in says("I want to cancel my order")
    question = says("LL-10423")
    assert "Brass lantern" in question
    assert "€68.90" in question
    assert "cannot be undone" in question
    assert stored("LL-10423").status == "processing"
    assert "**LL-10423** is cancelled" in says("yes")
    assert stored("LL-10423").status == "cancelled"
    assert "cancelled already" in says("cancel LL-10423")


def test_cancel_declined(says: Says, stored: Callable[[str], Order]) -> None:
    says("please cancel LL-10426")
    assert "stays as it is" in says("no thanks")
    assert stored("LL-10426").status == "processing"


def test_cancel_corrected(says: Says, stored: Callable[[str], Order]) -> None:
    assert "LL-10425" in says("please cancel LL-10425")
    assert "LL-10424" in says("no, LL-10424")
    assert "**LL-10424** is cancelled" in says("yes")
    assert stored("LL-10425").status == "processing"


def test_the_other_order(says: Says) -> None:
    says("where is LL-10417")
    says("where is LL-10418")
    assert "LL-10417" in says("no, the other order")


def test_cancel_abandoned(says: Says, stored: Callable[[str], Order]) -> None:
    says("please cancel LL-10428")
    assert "stays as it is" in says("forget it")
    assert "cancelled" not in says("yes")
    assert stored("LL-10428").status == "processing"


def test_an_old_confirmation_does_nothing(says: Says, stored: Callable[[str], Order]) -> None:
    says("please cancel LL-10428")
    says("forget it")
    assert "closed" in says("!Yes")
    assert stored("LL-10428").status == "processing"


def test_chinese(says: Says, stored: Callable[[str], Order]) -> None:
    assert "订单号" in says("我想取消我的订单")
    question = says("LL-10429")
    assert "太阳能提灯" in question
    assert "确定要取消" in question
    assert "已取消" in says("是的")
    assert stored("LL-10429").status == "cancelled"


def test_a_question_is_abandoned_before_it_is_answered(says: Says) -> None:
    says("I want to cancel my order")
    assert "dropped" in says("never mind")
    assert "closed" not in says("LL-10426")


def test_chinese_declined(says: Says, stored: Callable[[str], Order]) -> None:
    says("请帮我取消订单 LL-10426")
    assert "保持不变" in says("不用了，谢谢")
    assert stored("LL-10426").status == "processing"


def test_an_unknown_number_is_asked_for_again(says: Says) -> None:
    assert "no order LL-99999" in says("where is my order LL-99999?")
    assert "Copper pan set" in says("sorry, I meant LL-10426")


@pytest.mark.parametrize("text", ["10418", " #10418 ", "ll 10418", "LL10418?"])
def test_a_number_alone_is_looked_up(shop: Bot, text: str) -> None:
    (reply,) = shop.says(text, conversation=f"number {text}")
    assert "RK77121455" in reply.text


def test_an_unknown_number_alone_asks_nothing(says: Says) -> None:
    assert says("10999") == "I find no order LL-10999."
    assert "closed" not in says("10418")


def test_who_does_not_know_the_number_is_told_and_asked_again(says: Says, stored: Callable[[str], Order]) -> None:
    says("I want to cancel my order")
    answer = says("where do I find my order number?")
    assert "confirmation e-mail" in answer
    assert "What is your order number?" in answer
    assert "cannot be undone" in says("10434")


def test_already_shipped(says: Says) -> None:
    answer = says("cancel LL-10418")
    assert "on its way already" in answer
    assert "send it back" in answer
    assert "RK77121455" in says("!Where is it?")


def test_an_order_that_leaves_while_it_is_being_confirmed(says: Says, shop: Bot, stored: Callable[[str], Order]) -> None:
    says("cancel LL-10425")
    orders: Orders = shop.app.registry._provided[Orders]
    sent = orders._database.run(lambda db: db.execute("UPDATE orders SET status = 'packed' WHERE number = 'LL-10425'").rowcount)
    assert asyncio.run_coroutine_threadsafe(sent, shop._loop).result(10) == 1
    assert "packed already" in says("yes")
    assert stored("LL-10425").status == "packed"


def test_two_conversations_cancel_the_same_order(shop: Bot, stored: Callable[[str], Order]) -> None:
    for conversation in ("first", "second"):
        shop.says("please cancel LL-10433", conversation=conversation)
    answers = [shop.says("yes", conversation=conversation)[0].text for conversation in ("first", "second")]
    assert all("**LL-10433** is cancelled" in answer for answer in answers)
    assert stored("LL-10433").status == "cancelled"


def test_a_status_shows_neither_address_nor_email(says: Says) -> None:
    answer = says("where is LL-10416")
    assert "RP55021877GB" in answer
    assert "Copper watering can" in answer
    assert "Mill Road" not in answer
    assert "tom.baker" not in answer


def test_change_of_address(says: Says, stored: Callable[[str], Order]) -> None:
    assert "e-mail address" in says("I entered the wrong address for LL-10426")
    assert "new delivery address" in says("WANG.FANG@example.com")
    assert "in the country of the order" in says("Nieuwegracht 4, 3512 LP Utrecht, Netherlands")
    assert "post-office box" in says("Postfach 12, 50670 Köln")
    assert "> Aachener Str. 7, 50674 Köln" in says("Aachener Str. 7, 50674 Köln")
    assert "will be delivered to Aachener Str. 7" in says("yes please")
    assert stored("LL-10426").address == "Aachener Str. 7, 50674 Köln"


def test_everything_in_one_sentence(says: Says) -> None:
    answer = says(
        "My e-mail is carmen.ruiz@example.com, please change the address of order LL-10428 to Calle Luna 3, 28004 Madrid"
    )
    assert "> Calle Luna 3, 28004 Madrid" in answer


def test_no_address_without_the_email(says: Says, shop: Bot, request: pytest.FixtureRequest) -> None:
    says("change the delivery address of LL-10428")
    answers = [says(f"guess{number}@example.com") for number in range(5)]
    assert all("not the e-mail address" in answer for answer in answers[:4])
    assert "colleague" in answers[4]
    state = shop.state(request.node.name)
    assert state.owner == "queue"
    assert state.handoff is not None
    assert state.handoff.reason == "5 wrong order numbers or e-mail addresses"


def test_numbers_are_not_guessed(says: Says, shop: Bot, request: pytest.FixtureRequest) -> None:
    says("where is order LL-90000")
    for number in range(90001, 90005):
        answer = says(f"LL-{number}")
    assert "colleague" in answer
    assert shop.state(request.node.name).owner == "queue"


def test_refund(says: Says, stored: Callable[[str], Order]) -> None:
    says("I'd like to return LL-10408 and get my money back")
    assert "Why" in says("li.wei@example.com")
    question = says("!I changed my mind")
    assert "€30.90" in question
    assert "€3.95" in question
    assert "registered" in says("yes")
    returned = stored("LL-10408").returned
    assert returned is not None
    assert (returned.amount, returned.reason) == (30_90, "changed_mind")
    assert "was registered on" in says("I want a refund for LL-10408")


def test_a_refund_above_200_is_decided_by_a_person(says: Says, shop: Bot, request: pytest.FixtureRequest) -> None:
    says("please refund LL-10407")
    says("sofia.rossi@example.com")
    assert "decided by a person" in says("I changed my mind")
    handoff = shop.state(request.node.name).handoff
    assert handoff is not None
    assert handoff.reason == "refund above €200: LL-10407, €283.05, reason: changed mind"
    assert "Oak bread cabinet" in handoff.summary


def test_a_damaged_item_goes_to_a_person(says: Says, shop: Bot, request: pytest.FixtureRequest) -> None:
    says("refund LL-10406")
    says("tom.baker@example.com")
    assert "photo" in says("it arrived broken")
    handoff = shop.state(request.node.name).handoff
    assert handoff is not None
    assert handoff.reason.startswith("damaged or faulty: LL-10406")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("LL-10401", "30 days after delivery"),
        ("LL-10410", "gift cards or personalised"),
        ("LL-10412", "gift cards or personalised"),
        ("LL-10417", "not been delivered yet"),
        ("LL-10426", "simply cancel it"),
        ("LL-10404", "refunded already"),
        ("LL-10430", "cancelled already"),
    ],
)
def test_a_refund_that_policy_forbids(shop: Bot, number: str, reason: str) -> None:
    (reply,) = shop.says(f"I want a refund for order {number}", conversation=f"refund {number}")
    assert reason in reply.text


def test_a_gift_card_in_the_order_is_kept(says: Says) -> None:
    says("I want to return LL-10415")
    says("marie.dubois@example.com")
    question = says("I changed my mind")
    assert "€34.05" in question
    assert "Gift cards and personalised items stay with you" in question
