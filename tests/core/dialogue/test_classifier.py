"""The intent classifier with the default embedder, on the sizes that a plugin author writes."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from frontdesk.core.dialogue.classifier import IntentClassifier, LayeredEmbedder
from frontdesk.core.dialogue.training import readable
from frontdesk.core.models import Embedder, Vectors
from frontdesk.plugins.models.minilm import MiniLM

SHOP = {
    "orders.order_status": [
        "where is my order", "track my parcel", "when will my package arrive", "has my order shipped yet",
        "what is the status of order 4711", "my delivery is late", "I have not received my order", "is my parcel on its way",
        "我的订单到哪了", "我的包裹什么时候到", "帮我查一下物流", "订单发货了吗", "快递怎么还没到", "查询订单状态",
    ],
    "orders.cancel_order": [
        "cancel my order", "I want to cancel the order I placed yesterday", "please stop my order",
        "I ordered by mistake, cancel it", "I don't want it any more, cancel", "can I still cancel",
        "call off my purchase", "我想取消订单", "帮我取消订单", "不要了，取消吧", "能取消刚才的订单吗", "下错单了，请取消",
    ],
    "orders.refund": [
        "I want my money back", "how do I get a refund", "refund my order", "return this item for a refund",
        "the product is broken, I want a refund", "when will I get my money", "give me back what I paid",
        "我要退款", "怎么申请退款", "退款什么时候到账", "东西坏了我要退钱", "我想退货退款",
    ],
    "orders.change_address": [
        "change my delivery address", "I moved, send it to my new address", "the shipping address is wrong",
        "deliver to a different address", "update the address of my order", "I typed the wrong street",
        "修改收货地址", "我要换个地址", "地址写错了", "寄到新的地址", "能改一下送货地址吗",
    ],
    "escalation.human": [
        "I want to talk to a person", "let me speak to an agent", "human please", "connect me with customer service",
        "I don't want to talk to a bot", "can someone call me", "人工客服", "转人工", "我要找真人", "叫客服来",
    ],
}  # fmt: skip

NEW = {
    "orders.order_status": [
        "where's my stuff?", "Did you send my parcel already?", "我的快递到哪里了？", "什么时候能收到我的包裹",
    ],
    "orders.cancel_order": [
        "please cancel order 1234", "I changed my mind, cancel the purchase", "我想取消我的订单", "请帮我把订单取消掉",
    ],
    "orders.refund": ["I would like to be refunded", "Can I get the money back?", "我想要退款", "怎么退钱"],
    "orders.change_address": ["I need to change where it is delivered to", "我想改收货地址", "送货地址填错了怎么办"],
    "escalation.human": ["get me a human being", "I need to speak with somebody from support", "我要人工服务"],
}  # fmt: skip

UNRELATED = [
    "who won the chess championship", "what is the tallest mountain in africa", "how do I bake sourdough bread",
    "tell me about the french revolution", "my neighbour plays the trumpet", "how many legs does a spider have",
    "巴黎有多少人口", "怎么做蛋糕", "谁写了西游记", "为什么鸟会飞", "我叔叔喜欢钓鱼", "太阳有多大",
]  # fmt: skip


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return MiniLM()


@pytest.fixture(scope="module")
def shop(embedder: Embedder) -> IntentClassifier:
    classifier = IntentClassifier(SHOP, embedder)
    asyncio.run(classifier.fit())
    return classifier


@pytest.mark.parametrize(("intent", "text"), [(intent, text) for intent, texts in NEW.items() for text in texts])
async def test_new_wordings_in_both_languages(shop: IntentClassifier, intent: str, text: str) -> None:
    assert (await shop.predict(text)).intent == intent


async def test_unrelated_texts_are_none_of_these(shop: IntentClassifier) -> None:
    taken = {text: seen.intent for text in UNRELATED if (seen := await shop.predict(text)).intent}
    assert len(taken) <= 2, taken


async def test_probabilities_are_ranked_and_sum_to_one(shop: IntentClassifier) -> None:
    prediction = await shop.predict("where is my parcel")
    assert {intent for intent, _ in prediction.ranked} == set(SHOP)
    probabilities = [probability for _, probability in prediction.ranked]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    assert (prediction.intent is None) == (prediction.score < shop.threshold)


@pytest.mark.parametrize(
    "text", ["where is my order", "please cancel order 1234", "I would like to be refunded", "我想取消我的订单"]
)
async def test_a_plain_wish_is_sure(shop: IntentClassifier, text: str) -> None:
    assert (await shop.predict(text)).sure


@pytest.mark.parametrize("text", [*UNRELATED, "how long is the guarantee", "do you sell gift cards"])
async def test_what_may_be_meant_otherwise_is_not_sure(shop: IntentClassifier, text: str) -> None:
    assert not (await shop.predict(text)).sure


async def test_a_share_of_the_examples_themselves_would_be_in_doubt(shop: IntentClassifier) -> None:
    assert shop.threshold < shop._model.sure
    seen = [await shop.predict(text) for texts in NEW.values() for text in texts]
    assert 0.5 < np.mean([prediction.sure for prediction in seen]) < 1
    assert all(prediction.intent is not None for prediction in seen if prediction.sure)


async def test_a_text_between_two_intents_has_rivals(shop: IntentClassifier) -> None:
    sure = (await shop.predict("track my parcel")).ranked
    torn = (await shop.predict("cancel my order and refund me")).ranked
    assert {intent for intent, _ in torn[:2]} == {"orders.cancel_order", "orders.refund"}
    assert torn[1][1] / torn[0][1] > sure[1][1] / sure[0][1]


@pytest.mark.parametrize("text", ["", "   ", "\0", "\ud800", "?" * 50_000, "order " * 50_000], ids=range(6))
async def test_odd_texts_are_answered(shop: IntentClassifier, text: str) -> None:
    assert np.isfinite((await shop.predict(text)).score)


async def test_one_intent_of_three_examples(embedder: Embedder) -> None:
    classifier = IntentClassifier({"status": ["where is my order", "track my parcel", "has it shipped"]}, embedder)
    await classifier.fit()
    prediction = await classifier.predict("where is my parcel")
    assert prediction.intent == "status"
    assert prediction.ranked == (("status", 1.0),)
    assert (await classifier.predict("how do I bake bread")).intent is None


async def test_two_intents_of_three_examples(embedder: Embedder) -> None:
    classifier = IntentClassifier(
        {
            "open": ["when do you open", "opening hours", "are you open on sunday"],
            "pay": ["can I pay by card", "do you take cash", "which payment methods are there"],
        },
        embedder,
    )
    await classifier.fit()
    assert (await classifier.predict("what are your opening times")).intent == "open"
    assert (await classifier.predict("is it possible to pay with a credit card")).intent == "pay"
    assert (await classifier.predict("who painted that picture")).intent is None


async def test_a_single_example_is_enough_to_fit(embedder: Embedder) -> None:
    classifier = IntentClassifier({"1": ["where is my order"]}, embedder)
    await classifier.fit()
    assert (await classifier.predict("where is my order")).intent == "1"


def test_no_examples_at_all_are_refused(embedder: Embedder) -> None:
    with pytest.raises(ValueError, match="at least one intent"):
        IntentClassifier({"empty": [" "]}, embedder)


async def test_predicting_before_fitting_says_so(embedder: Embedder) -> None:
    with pytest.raises(RuntimeError, match="fit"):
        await IntentClassifier(SHOP, embedder).predict("hello")


class WithoutLayers:
    """Keeps to the plain protocol, and counts what it embeds."""

    name = "plain"
    dimensions = MiniLM.dimensions

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.calls = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        return await self._embedder.embed(texts)


async def test_an_embedder_without_layers_will_do(embedder: Embedder) -> None:
    assert isinstance(embedder, LayeredEmbedder)
    plain = WithoutLayers(embedder)
    assert not isinstance(plain, LayeredEmbedder)
    classifier = IntentClassifier(SHOP, plain)
    await classifier.fit()
    assert (await classifier.predict("where's my stuff?")).intent == "orders.order_status"


async def test_the_order_of_intents_and_examples_does_not_matter(shop: IntentClassifier, embedder: Embedder) -> None:
    turned = {intent: [*reversed(texts), texts[0]] for intent, texts in reversed(SHOP.items())}
    classifier = IntentClassifier(turned, embedder)
    await classifier.fit()
    text = "please send my money back"
    assert await classifier.predict(text) == await shop.predict(text)


async def test_a_fitted_model_is_kept(embedder: Embedder, tmp_path: Path) -> None:
    plain = WithoutLayers(embedder)
    first = IntentClassifier(SHOP, plain, cache=tmp_path / "cache")
    await first.fit()
    calls = plain.calls
    second = IntentClassifier(SHOP, plain, cache=tmp_path / "cache")
    await second.fit()
    assert plain.calls == calls
    assert await first.predict("refund me") == await second.predict("refund me")
    changed = IntentClassifier({**SHOP, "thanks": ["thank you", "thanks a lot"]}, plain, cache=tmp_path / "cache")
    await changed.fit()
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut"])
async def test_a_broken_cache_is_fitted_anew(embedder: Embedder, tmp_path: Path, content: bytes) -> None:
    examples = {"a": ["where is it", "find it"], "b": ["cancel it", "stop it"]}
    await IntentClassifier(examples, embedder, cache=tmp_path).fit()
    (path,) = tmp_path.iterdir()  # noqa: ASYNC240
    path.write_bytes(content)
    classifier = IntentClassifier(examples, embedder, cache=tmp_path)
    await classifier.fit()
    assert (await classifier.predict("cancel it")).ranked[0][0] == "b"
    assert len(path.read_bytes()) > 1000


def test_a_cached_model_predicts_without_scipy(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from frontdesk.core.dialogue.classifier import IntentClassifier
from frontdesk.plugins.models.minilm import MiniLM
async def main():
    classifier = IntentClassifier({{"a": ["where is it"], "b": ["cancel it"]}}, MiniLM(), cache=Path({str(tmp_path)!r}))
    await classifier.fit()
    print((await classifier.predict("cancel it")).ranked[0][0], "sklearn" in sys.modules, "scipy" in sys.modules)
asyncio.run(main())
"""
    said = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]
    assert said == [["b", "False", "True"], ["b", "False", "False"]]


@pytest.mark.parametrize(
    ("intent", "words"),
    [
        ("orders.cancel_order", "cancel order"),
        ("changeAddress", "change address"),
        ("Lost-Card", "lost card"),
        ("退款", "退款"),
        ("17", ""),
        ("w2", ""),
    ],
)
def test_names_as_words(intent: str, words: str) -> None:
    assert readable(intent) == words
