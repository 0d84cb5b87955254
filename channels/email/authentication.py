"""What our own mail server found out about the sender: SPF, DKIM and DMARC, from Authentication-Results (RFC 8601)."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from frontdesk.channels.email.headers import Headers, normal

MAX_STATEMENTS = 50
AUTHSERV_ID = re.compile(r'\s*"?([^\s;="]{1,255})"?(?:\s+\d+)?\s*$')
RESULT = re.compile(r"\s*([A-Za-z0-9-]{1,40})(?:\s*/\s*\d+)?\s*=\s*([A-Za-z0-9-]{1,40})")
PROPERTY = re.compile(r'([A-Za-z0-9-]{1,40}\.[A-Za-z0-9_-]{1,40})\s*=\s*("[^"]{0,320}"|[^\s;]{1,320})')
ADDED_BESIDE = frozenset(
    ("received-spf", "arc-authentication-results", "arc-message-signature", "arc-seal", "x-received", "return-path")
)
"""What servers write between their own results."""
RESULT_HEADER = "authentication-results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Results as the server names them ("pass", "fail", "none", ...); None if it said nothing of that method.

    `verified`: the owner of the sender's domain vouches for the mail (DMARC).
    """

    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    verified: bool = False

    def __str__(self) -> str:
        """The results that there are, for people."""
        results = {"SPF": self.spf, "DKIM": self.dkim, "DMARC": self.dmarc}
        return ", ".join(f"{method} {result}" for method, result in results.items() if result)

    @property
    def failed(self) -> bool:
        """Somebody pretends to be this sender, as far as the server can tell."""
        return self.dmarc in ("fail", "permerror")


def authentication(headers: Headers, *, domain: str, trusted: Collection[str]) -> Authentication:
    """`trusted` are the authserv-ids of the operator's own servers; `domain` that of the one From address, else empty.

    Servers add their fields on top, so only the topmost fields of that name count, up to the first that is not trusted or
    stands apart: what a sender has written lies below. A server must take fields that pretend to be its own out of what it
    receives (RFC 8601, 5). Exchange Online names no authserv-id: trust "" for it. Of two results for one method the worse counts.
    """
    servers = {name.strip().lower() for name in trusted}
    found: dict[str, list[str]] = {}
    senders: set[str] = set()
    for server, method, result, properties in _results(headers):
        if server not in servers:
            break
        found.setdefault(method, []).append(result)
        if method == "dmarc":
            senders.add((normal(f"x@{properties.get('header.from', '').rpartition('@')[2]}") or "").removeprefix("x@"))
    dkim = found.get("dkim", [])
    dmarc = _worst(found.get("dmarc", []))
    return Authentication(
        spf=_worst(found.get("spf", [])),
        dkim="pass" if "pass" in dkim else _worst(dkim),  # several signatures are usual, and one is enough
        dmarc=dmarc,
        verified=dmarc == "pass" and bool(domain) and senders == {domain},
    )


def _worst(results: Sequence[str]) -> str | None:
    return next((result for result in results if result != "pass"), results[0] if results else None)


def _results(headers: Headers) -> Iterator[tuple[str, str, str, Mapping[str, str]]]:
    begun = False
    for name, value in headers.fields:
        if name == RESULT_HEADER:
            begun = True
            yield from _parsed(value)
        elif begun and name not in ADDED_BESIDE:
            return


def _parsed(value: str) -> Iterator[tuple[str, str, str, Mapping[str, str]]]:
    statements = _statements(value)[:MAX_STATEMENTS]
    server = AUTHSERV_ID.match(statements[0])
    name = server[1].lower() if server else ""
    empty = True
    for statement in statements[1:] if server else statements:
        if match := RESULT.match(statement):
            properties = {key.lower(): text.strip('"').lower() for key, text in PROPERTY.findall(statement[match.end() :])}
            empty = False
            yield name, match[1].lower(), match[2].lower(), properties
    if empty:  # it says something, by whom counts
        yield name, "none", "none", {}


def _statements(value: str) -> list[str]:
    """What stands between semicolons, without comments, which nest. Both may stand in quotes too, where senders may write."""
    statements = [""]
    depth = 0
    for piece in re.findall(r'"(?:[^"\\]|\\.)*"|[();]|[^"();]+|"', value):
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif piece == ";":
            statements.append("")
        else:
            statements[-1] += piece
    return statements
