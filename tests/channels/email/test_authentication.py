"""Who the sender is, is believed of our own servers only."""

import pytest

from frontdesk.channels.email.authentication import Authentication, authentication
from frontdesk.channels.email.headers import split

GOOD = "Authentication-Results: mx.shop.example; dmarc=pass (p=NONE) header.from=home.example\n"


def read(text: str, *, domain: str = "home.example", trusted: tuple[str, ...] = ("MX.shop.example",)) -> Authentication:
    data = f"{text}From: ann@{domain}\n\n".encode()
    return authentication(split(data, 0, len(data))[0], domain=domain, trusted=trusted)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Received: from x by mx.shop.example\n" + GOOD,
        "Authentication-Results: mx.shop.example 1; dkim=pass header.d=x; dmarc=pass header.from=home.example;\n",
        "Authentication-Results: mx.shop.example;\n dkim=fail (a (nested; dmarc=fail));\n dmarc=pass header.from=Home.Example\n",
        "Authentication-Results: mx.shop.example; spf=pass smtp.mailfrom=x\n" + GOOD,
        "Authentication-Results: mx.shop.example; spf=pass\nReceived-SPF: pass\nARC-Seal: x\n" + GOOD,
        GOOD + "Authentication-Results: other.example; dmarc=fail\n",
    ],
)
def test_a_pass_of_our_own_server_counts(text: str) -> None:
    assert read(text).verified


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Authentication-Results: mx.shop.example; none\n",
        "Authentication-Results: mx.shop.example; spf=pass; dkim=pass header.d=home.example\n",
        "Authentication-Results: evil.example; dmarc=pass header.from=home.example\n",
        "Authentication-Results: evil.example; none\n" + GOOD,
        "Authentication-Results: mx.shop.example; dmarc=fail header.from=home.example\n" + GOOD,
        "Authentication-Results: mx.shop.example; dmarc=none\nSubject: x\n" + GOOD,
        "Authentication-Results: mx.shop.example; dmarc=pass header.from=evil.example\n",
        "Authentication-Results: mx.shop.example; dmarc=pass header.from=evil.example\n" + GOOD,
        "Authentication-Results: mx.shop.example; dmarc=pass\n",
        "Authentication-Results: mx.shop.example; spf=fail (dmarc=pass header.from=home.example)\n",
        'Authentication-Results: mx.shop.example; x=y reason="; dmarc=pass header.from=home.example"\n',
        "Authentication-Results: mx.shop.example.evil.example; dmarc=pass header.from=home.example\n",
        "Authentication-Results: dmarc=pass header.from=home.example\n",
        "X-Authentication-Results: mx.shop.example; dmarc=pass header.from=home.example\n",
        "ARC-Authentication-Results: i=1; mx.shop.example; dmarc=pass header.from=home.example\n",
        "Authentication-Results: \n",
        "Authentication-Results: ((((\n",
    ],
)
def test_nothing_else_counts(text: str) -> None:
    assert not read(text).verified


def test_nobody_is_trusted_by_default() -> None:
    assert read(GOOD, trusted=()) == Authentication()


def test_two_senders_are_not_verified() -> None:
    assert not read(GOOD, domain="").verified


def test_exchange_online_has_no_name() -> None:
    text = "Authentication-Results: spf=pass (sender IP) smtp.mailfrom=x; dmarc=pass action=none header.from=home.example\n"
    assert not read(text).verified
    assert read(text, trusted=("",)).verified


def test_results() -> None:
    text = "Authentication-Results: mx.shop.example; spf=softfail; dkim=fail header.d=a; dkim=pass header.d=b; dmarc=fail\n"
    assert read(text) == Authentication(spf="softfail", dkim="pass", dmarc="fail")
    assert read(text).failed
    assert not read(GOOD).failed
