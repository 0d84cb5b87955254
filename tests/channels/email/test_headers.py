"""Header fields, encoded words, parameters, addresses, charsets and subjects, as they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.email import subjects
from frontdesk.channels.email.charsets import decode, known
from frontdesk.channels.email.headers import addresses, normal, split, value, words

from .hostile import FIELDS, repeated


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('"Doe, John" <J@Home.example>', [("Doe, John", "j@home.example")]),
        ("Doe, John <j@home.example>, b@home.example (Bob)", [("Doe John", "j@home.example"), ("Bob", "b@home.example")]),
        ("undisclosed-recipients:;", []),
        ('Group: a@home.example, "X" <c@home.example>; e@home.example', ["a", "c", "e"]),
        ("=?utf-8?q?=3Cvictim@bank.example=3E?= <eve@home.example>", [("<victim@bank.example>", "eve@home.example")]),
        ("=?utf-8?q?a=2C_b?= <c@home.example>", [("a, b", "c@home.example")]),
        ('"victim@bank.example" <eve@home.example>', [("victim@bank.example", "eve@home.example")]),
        ("<@a.example,@b.example:c@home.example>", [("", "c@home.example")]),
        ("Joe (x (y) z) <j@home.example>", [("Joe", "j@home.example")]),
        ('"unclosed <a@home.example>', [("", "a@home.example")]),
        ("John <j@home.example", [("John", "j@home.example")]),
        ("mailto:a@home.example", [("", "a@home.example")]),
        ("Bob <bob@BÜCHER.example>", [("Bob", "bob@xn--bcher-kva.example")]),
        ("straße@straße.example", [("", "straße@xn--strae-oqa.example")]),
        ("a@home.example;b@home.example", ["a", "b"]),
        ("<>", []),
        ("", []),
        ("nobody", []),
        ("x@" + "a" * 70 + "ü.example", []),
    ],
)
def test_addresses(field: str, expected: list[tuple[str, str] | str]) -> None:
    found = list(addresses(field))
    if expected and isinstance(expected[0], str):
        assert [address for _, address in found] == [f"{local}@home.example" for local in expected]
    else:
        assert [tuple(address) for address in found] == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("=?utf-8?B?R3LDvMOf?= =?utf-8?B?ZSBhdXM=?= M", "Grüße aus M"),
        ("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
        ("=?utf-8?Q?Gr=C3=BC=C3?=\r\n =?utf-8?Q?=9Fe?= x", "Grüße x"),
        ("=?iso-gb2312?B?xOO6ww==?=", "你好"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?utf-8*de?Q?gr=C3=BCn?=", "grün"),
        ("=?UTF-8?B?!!!?= x", "x"),
        ("=?utf-8?Q?evil=0D=0ABcc:x?=", "evil Bcc:x"),
        ("no words", "no words"),
        ("=?utf-8?X?y?=", "=?utf-8?X?y?="),
    ],
)
def test_encoded_words(field: str, expected: str) -> None:
    assert words(field) == expected


@pytest.mark.parametrize(
    ("field", "name", "expected"),
    [
        ('text/plain; charset="utf-8"; format=flowed', "format", "flowed"),
        ('x/y; name="=?utf-8?B?R3LDvMOf?=.pdf"', "name", "Grüß.pdf"),
        ("a; filename*0*=utf-8''Gr%C3%BC; filename*1*=%C3%9Fe; filename*2=.pdf", "filename", "Grüße.pdf"),
        ("a; filename*=utf-8''%E4%BD%A0.txt; filename=x.txt", "filename", "你.txt"),
        ("a; filename=x.txt; filename*=utf-8''%E4%BD%A0.txt", "filename", "你.txt"),
        ("a; filename*1=b; filename*0=a", "filename", "ab"),
        ("a; filename=a b c.pdf; size=1", "filename", "a b c.pdf"),
        ('a; filename="C:\\docs\\x.pdf"', "filename", "C:\\docs\\x.pdf"),
        ('a; filename="say \\"x\\".txt"', "filename", 'say "x".txt'),
        ('a; boundary="x;y"', "boundary", "x;y"),
        ("a; FileName = x", "filename", "x"),
    ],
)
def test_parameters(field: str, name: str, expected: str) -> None:
    assert value(field).parameters[name] == expected


@pytest.mark.parametrize(
    ("data", "fields", "body"),
    [
        (b"From: a\r\nTo: b\r\n c\r\n\r\nbody", {"from": "a", "to": "b c"}, b"body"),
        (b"From: a\nSubject: x\nbroken\nTo: y\n\nbody", {"from": "a", "subject": "x broken", "to": "y"}, b"body"),
        (b"From: a\nHello\nworld\n\nmore", {"from": "a"}, b"Hello\nworld\n\nmore"),
        (b"no header\n\nbody", {}, b"no header\n\nbody"),
        (b"From a@b Sat\nTo: b\n\nbody", {"to": "b"}, b"body"),
        (b"\nbody", {}, b"body"),
        (b"To: " + "grün".encode("latin-1") + b"\r\n\r\n", {"to": "grün"}, b""),
        (b"To: a\0\rb\n\n", {"to": "a b"}, b""),
    ],
)
def test_where_the_header_ends(data: bytes, fields: dict[str, str], body: bytes) -> None:
    headers, start = split(data, 0, len(data))
    assert dict(headers.fields) == fields
    assert data[start:] == body


@pytest.mark.parametrize("unit", FIELDS)
def test_time_grows_with_the_field_and_no_faster(unit: str) -> None:
    field = repeated(unit, 300_000)
    assert all(address.address for address in addresses(field))
    assert len(words(field)) <= len(field)
    assert "\n" not in value(field).value


@given(st.text(max_size=300))
def test_any_field_is_read(field: str) -> None:
    for _, address in addresses(field):
        assert normal(address) == address
    assert "\n" not in words(field) or "=?" not in field
    value(field)


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("你好，我的订单还没有收到，请问什么时候发货？", "gb18030"),
        ("請問我的訂單什麼時候會送到？", "big5"),
        ("注文した商品がまだ届きません。いつ発送されますか？", "shift_jis"),
        ("注文した商品がまだ届きません。いつ発送されますか？", "euc_jp"),
        ("안녕하세요, 주문한 상품이 아직 도착하지 않았습니다.", "euc_kr"),
        ("Здравствуйте, мой заказ ещё не пришёл. Когда его отправят?", "koi8_r"),
        ("Здравствуйте, мой заказ ещё не пришёл. Когда его отправят?", "cp1251"),
        ("مرحبا، لم يصل طلبي بعد. متى سيتم الشحن؟", "cp1256"),
        ("שלום, ההזמנה שלי עדיין לא הגיעה", "cp1255"),
        ("Grüße aus München, wo bleibt meine Bestellung?", "cp1252"),
    ],
)
@pytest.mark.parametrize("declared", [None, "us-ascii", "utf-8", "x-unknown", "own"])
def test_charsets_that_are_missing_or_wrong(text: str, charset: str, declared: str | None) -> None:
    assert decode(text.encode(charset), charset if declared == "own" else declared) == text


@pytest.mark.parametrize("text", ["", "plain", "Grüße", "你好", "a\ufeffb", "🙂"])
@pytest.mark.parametrize("declared", [None, "iso-8859-1", "us-ascii", "utf-8", "windows-1251"])
def test_utf_8_is_known_whatever_is_declared(text: str, declared: str | None) -> None:
    assert decode(text.encode(), declared) == text


@pytest.mark.parametrize(
    "name", ["hex", "zlib", "idna", "punycode", "unicode_escape", "rot13", "undefined", "a\0b", "", "é", "x" * 9999]
)
def test_names_that_are_no_charsets(name: str) -> None:
    assert known(name) is None
    assert decode(b"abc \xff", name)


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "utf-7", "utf-16", "gb2312", "iso-2022-jp", "hz", "cp932", "x"]))
def test_any_bytes_are_text(data: bytes, charset: str | None) -> None:
    decode(data, charset).encode()


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Re: AW: Re[2]: [Ticket 5] Fwd: 回复：Hello", "Hello"),
        ("答复: 订单", "订单"),
        ("SV:  VS: hej", "hej"),
        ("RE : bonjour", "bonjour"),
        ("Odp: RE: x", "x"),
        ("Yanıt: x", "x"),
        ("رد: x", "x"),
        ("re: " * 100 + "x", "x"),
        ("Fwd: x", "x"),
        ("Regarding: x", "Regarding: x"),
        ("Reply needed: x", "Reply needed: x"),
        ("Re", "Re"),
        ("", ""),
    ],
)
def test_subjects(subject: str, base: str) -> None:
    assert subjects.base(subject) == base
    assert subjects.answer(subject) == f"Re: {base}".strip()


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        ("Hello", "hello there", "hello there"),
        ("Order 123 late", "where is it?", "Order 123 late\n\nwhere is it?"),
        ("Where is my order?", "Hi, where is my order LL1?", "Hi, where is my order LL1?"),
        ("order late", "My order came late", "My order came late"),
        ("订单", "我的订单呢", "我的订单呢"),
        ("Rückgabe", "", "Rückgabe"),
        ("(Kein Betreff)", "x", "x"),
        ("", "x", "x"),
    ],
)
def test_a_subject_is_said_once(subject: str, text: str, expected: str) -> None:
    assert subjects.with_subject(subject, text) == expected


@pytest.mark.parametrize("subject", ["Fwd: x", "FW: Re: x", "WG: x", "TR : x", "I: x", "转发：x"])
def test_subjects_of_what_is_forwarded(subject: str) -> None:
    assert subjects.is_forward(subject)
    assert not subjects.is_forward(f"Re: {subject}")
    assert not subjects.is_forward("x")
