"""Bad mails, each with its outcome. None takes a second, none more memory than a few times its size."""

import base64
import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from frontdesk.channels.email.headers import Headers
from frontdesk.channels.email.mime import CUT, MAX_DEPTH, MAX_FILES, MAX_PARTS, MAX_TEXT, TOO_LARGE, Mail, read
from frontdesk.channels.email.parse import Incoming, original, parse
from frontdesk.channels.email.threads import Threads, message_key
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import FilePart

SHOP = "support@shop.example"
NOW = datetime(2026, 4, 1, tzinfo=UTC)
HEAD = b"From: ann@home.example\r\nTo: support@shop.example\r\nMessage-ID: <1@home.example>\r\nSubject: s\r\n"
MB = 1024 * 1024
NOISE = base64.encodebytes(random.Random(1).randbytes(MB)).replace(b"\n", b"\r\n")


def multipart(*parts: bytes, close: bytes = b"--b--\r\n", kind: bytes = b"mixed") -> bytes:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return HEAD + b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n" + body + close


def attached(data: bytes, name: bytes = b"a.bin", kind: bytes = b"application/octet-stream") -> bytes:
    return b"Content-Type: %s; name=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s" % (kind, name, data)


def parsed(data: bytes) -> Incoming:
    return parse(read(data), mailbox=SHOP, threads=Threads(b"k" * 32, [SHOP]), trusted=(), own={SHOP}, now=NOW)


def nested(depth: int, inside: bytes = b"deep\r\n") -> bytes:
    levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return HEAD + levels + b"\r\n" + inside


def no_text(incoming: Incoming) -> bool:
    return incoming.message.text in ("", "s")


def just_now(incoming: Incoming) -> bool:
    return incoming.message.at == NOW


def text(words: str) -> Callable[[Incoming], bool]:
    return lambda incoming: words in incoming.message.text


def files(count: int) -> Callable[[Incoming], bool]:
    return lambda incoming: len(incoming.files) == count


Outcome = str | Callable[[Incoming], bool]
TABLE: dict[str, tuple[bytes, Outcome]] = {
    "nothing at all": (b"", "refused: the mail is empty"),
    "only white space and NULs": (b"\r\n \0\0\r\n", "refused: the mail is empty"),
    "no headers at all": (b"just some words\r\nand more\r\n", "refused: the mail has no sender"),
    "no sender": (b"To: support@shop.example\r\nSubject: s\r\n\r\nhello\r\n", "refused: the mail has no sender"),
    "empty From and null return path": (b"From: <>\r\nReturn-Path: <>\r\n\r\nhello\r\n", "refused: the mail has no sender"),
    "a From that is no address": (b"From: somebody, somewhere\r\n\r\nhello\r\n", "refused: the mail has no sender"),
    "headers only": (HEAD, no_text),
    "a header without end": (HEAD + b"X-Long: " + b"a" * 20 * MB, no_text),
    "a million header fields": (HEAD + b"X: y\r\n" * 1_000_000 + b"\r\nhello\r\n", text("hello")),
    "ten thousand recipients": (
        HEAD + b"Cc: " + b",\r\n ".join(b"n%d <u%d@home.example>" % (n, n) for n in range(10_000)) + b"\r\n\r\nhello\r\n",
        lambda incoming: text("hello")(incoming) and 0 < len(original(incoming.message).cc) <= 20,  # type: ignore[union-attr]
    ),
    "a header smuggled into the subject": (
        HEAD.replace(b"Subject: s", b"Subject: =?utf-8?Q?hi=0D=0ABcc:_all@home.example?=") + b"\r\nhello\r\n",
        lambda incoming: "\n" not in original(incoming.message).subject,  # type: ignore[union-attr]
    ),
    "25 MB": (
        multipart(b"\r\nhello", attached(NOISE * 18)),
        lambda incoming: text("hello")(incoming) and sum(map(len, incoming.files["0"].chunks())) == 18 * MB,
    ),
    "40 MB: the beginning is read, the cut file has a problem": (
        multipart(b"\r\nhello", attached(b"QUJD"), attached(NOISE * 29)),
        lambda incoming: (
            text("hello")(incoming)
            and incoming.mail.cut
            and text(TOO_LARGE)(incoming)
            and files(1)(incoming)
            and [part.attachment.problem for part in incoming.message.parts if isinstance(part, FilePart)] == [None, CUT]
        ),
    ),
    "25 MB of text": (HEAD + b"\r\n" + b"hello world\r\n" * 2_000_000, lambda found: len(found.message.text) < MAX_TEXT),
    "25 MB on one line": (HEAD + b"\r\n" + b"a" * 25 * MB, text("aaaa")),
    "25 MB of blank lines": (HEAD + b"\r\n" + b"\r\n" * 12 * MB, text("the text was cut")),
    "700 parts": (
        multipart(b"\r\nhello", *[attached(b"QUJD")] * 700),
        lambda incoming: files(MAX_FILES)(incoming) and f"more than {MAX_PARTS} parts" in incoming.message.text,
    ),
    "a million empty parts": (multipart(b"\r\nhello", *[b""] * 1_000_000), text(f"more than {MAX_PARTS} parts")),
    "nested 1000 deep": (nested(1000), text("nested too deeply")),
    "nested 200 deep around 20 MB": (nested(200, b"x\r\n" * 7_000_000), text("nested too deeply")),
    "nested just deep enough": (nested(MAX_DEPTH), text("deep")),
    "mails in mails": (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 2000, files(1)),
    "a boundary in every line": (
        nested(MAX_DEPTH, b"--b0x\r\n--b1x\r\n--b2x\r\n" * 1_000_000).replace(b"=b", b"=b"),
        lambda incoming: bool(incoming.message.parts),
    ),
    "no boundary": (HEAD + b"Content-Type: multipart/mixed\r\n\r\nhello\r\n", text("hello")),
    "an empty boundary": (HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nhello\r\n', text("hello")),
    "no closing boundary": (multipart(b"\r\nhello", close=b""), text("hello")),
    "a zip bomb is a file": (
        multipart(b"\r\nhello", attached(b"UEsDBAoA" * 1000, b"bomb.zip", b"application/zip")),
        files(1),
    ),
    "base64 of nothing but padding": (multipart(b"\r\nhello", attached(b"A=" * 10 * MB)), text("hello")),
    "quoted-printable without end": (
        HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\nhello" + b"=3D" * 8_000_000,
        text("hello"),
    ),
    "an encoding that does not exist": (HEAD + b"Content-Transfer-Encoding: rot13\r\n\r\nhello", text("hello")),
    "a charset that does not exist": (HEAD + b"Content-Type: text/plain; charset=klingon\r\n\r\nhello", text("hello")),
    "a charset that is no charset": (HEAD + b"Content-Type: text/plain; charset=zlib\r\n\r\nhello", text("hello")),
    "a charset with a NUL": (HEAD + b"Content-Type: text/plain; charset=a\0b\r\n\r\nhello", text("hello")),
    "a content type that is none": (HEAD + b"Content-Type: ;;;=\r\n\r\nhello", text("hello")),
    "two content types": (HEAD + b"Content-Type: text/plain\r\nContent-Type: image/png\r\n\r\nhello", text("hello")),
    "RFC 2047 junk": (
        HEAD.replace(b"Subject: s", b"Subject: =?=?=?utf-8?B?????=?= =?x?q?=?= =?utf-8?q?=ff=fe?=") + b"\r\nhello",
        text("hello"),
    ),
    "deep HTML": (HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 150_000 + b"hello", text("hello")),
    "HTML with 200,000 attributes": (
        HEAD + b"Content-Type: text/html\r\n\r\n<p " + b" ".join(b"a%d=b" % n for n in range(100_000)) + b">hello",
        lambda incoming: bool(incoming.message.parts),
    ),
    "winmail.dat of noise": (
        multipart(b"\r\nhello", attached(base64.b64encode(b"\x78\x9f\x3e\x22" + bytes(range(256)) * 9), b"winmail.dat")),
        text("hello"),
    ),
    "S/MIME of noise": (
        HEAD + b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIA=\r\n",
        text("S/MIME"),
    ),
    "an invitation without end": (
        HEAD + b"Content-Type: text/calendar\r\n\r\n" + b"BEGIN:VEVENT\r\nSUMMARY:x\r\n" * 500_000,
        lambda incoming: bool(incoming.message.parts),
    ),
    "uuencode that claims more than it has": (
        multipart(
            b"Content-Type: application/octet-stream; name=a\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n" + b"MMM\n" * MB
        ),
        lambda incoming: sum(map(len, incoming.files["0"].chunks())) < 4 * MB,
    ),
    "a date that is none": (HEAD + b"Date: tomorrow at 25:61\r\n\r\nhello", lambda found: found.message.at == NOW),
    "a date in the future": (HEAD + b"Date: Sat, 7 Mar 2099 10:00:00 +0000\r\n\r\nhello", lambda found: found.message.at == NOW),
    "a date before there was mail": (
        HEAD + b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\nhello",
        lambda it: it.message.at == NOW,
    ),
    "a date in a zone that is none": (
        HEAD + b"Date: Sat, 7 Mar 2026 10:00:00 +9999\r\n\r\nhello",
        lambda it: it.message.at <= NOW,
    ),
    "every byte there is": (HEAD + b"\r\nhello " + bytes(range(256)) * 100, text("hello")),
    "lone surrogates from UTF-7": (HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\nhello +2AA-", text("hello")),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_outcome(name: str) -> None:
    data, outcome = TABLE[name]
    if isinstance(outcome, str):
        with pytest.raises(InvalidInput) as refused:
            parsed(data)
        assert f"refused: {refused.value}" == outcome
    else:
        incoming = parsed(data)
        assert outcome(incoming)
        assert incoming.message.parts


def test_a_mail_of_which_only_the_beginning_was_fetched() -> None:
    mail = read(multipart(b"\r\nhello", attached(NOISE))[:200_000], whole=False)
    assert mail.cut
    assert mail.plain == "hello"
    assert [file.problem for file in mail.files] == [CUT]


def test_a_file_that_was_not_saved_says_so() -> None:
    incoming = parsed(multipart(b"\r\nhello", attached(b"QUJD")))
    (part,) = [part for part in incoming.with_files({}).parts if isinstance(part, FilePart)]
    assert (part.attachment.id, part.attachment.remote) == ("", None)
    assert part.attachment.problem


def test_a_mail_holds_its_bytes_once() -> None:
    data = multipart(b"\r\nhello", attached(NOISE))
    (file,) = read(data).files
    assert file.source is data
    assert b"".join(file.chunks()) == file.data() == random.Random(1).randbytes(MB)


def test_quoted_pgp_is_text() -> None:
    quoted = "> -----BEGIN PGP SIGNED MESSAGE-----\n> Hash: x\n>\n> -----BEGIN PGP SIGNATURE-----\n> -----BEGIN PGP MESSAGE-----"
    mail = read(HEAD + f"\r\nhello\n\n{quoted}\n".encode())
    assert (mail.signed, mail.encrypted) == (None, None)
    assert mail.plain == f"hello\n\n{quoted}"


def test_text_around_pgp_stays() -> None:
    mail = read(HEAD + b"\r\nbefore\n-----BEGIN PGP MESSAGE-----\n\nxx\n-----END PGP MESSAGE-----\nafter\n")
    assert mail.encrypted == "pgp"
    assert mail.plain == "before\n\nafter"


def test_headers_are_looked_up_in_any_case() -> None:
    headers = Headers((("subject", "=?utf-8?Q?=C3=BC?="), ("to", "a@home.example"), ("to", "b@home.example")))
    assert headers.get("SUBJECT") == "ü"
    assert "To" in headers
    assert [address.address for address in headers.addresses("TO")] == ["a@home.example", "b@home.example"]
    assert (headers.get("none"), headers.all("none")) == ("", ())


def test_an_empty_mail_has_no_text() -> None:
    assert Mail(headers=Headers()).plain == ""
    assert message_key(Mail(headers=Headers()))
