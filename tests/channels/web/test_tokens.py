import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from frontdesk.channels.web.tokens import Signer, derive_key, new_conversation, stored_key
from frontdesk.core.errors import ConfigurationError, InvalidInput
from frontdesk.core.messages import Attachment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIGNER = Signer(derive_key("a secret of more than thirty-two characters"))
FILE = Attachment(id="a" * 32, name="letter.pdf", media_type="application/pdf", size=10)


def test_a_session_names_its_conversation_until_it_expires() -> None:
    conversation = new_conversation()
    token = SIGNER.session(conversation, NOW + timedelta(hours=1))
    assert SIGNER.open_session(token, NOW).conversation == conversation
    with pytest.raises(InvalidInput, match="expired") as refused:
        SIGNER.open_session(token, NOW + timedelta(hours=1))
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: "..",
        lambda token: "\ud800.é.x",
        lambda token: token[:-1],
        lambda token: "x" + token,
        lambda token: token.replace(".", ".f", 1),  # a later end
        lambda token: ".".join(["someone-else", *token.split(".")[1:]]),
    ],
)
def test_a_forged_session_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    token = SIGNER.session("web:abc", NOW + timedelta(hours=1))
    with pytest.raises(InvalidInput, match="not valid"):
        SIGNER.open_session(change(token), NOW)


def test_another_key_opens_nothing() -> None:
    token = Signer(b"1" * 32).session("web:abc", NOW + timedelta(hours=1))
    with pytest.raises(InvalidInput):
        SIGNER.open_session(token, NOW)


def test_a_ticket_is_good_in_its_own_conversation_only() -> None:
    ticket = SIGNER.ticket("web:abc", FILE)
    assert SIGNER.open_ticket("web:abc", ticket) == FILE
    with pytest.raises(InvalidInput):
        SIGNER.open_ticket("web:xyz", ticket)


def test_a_ticket_cannot_be_altered_or_used_as_a_session() -> None:
    ticket = SIGNER.ticket("web:abc", FILE)
    payload, _, signature = ticket.rpartition(".")
    altered = base64.urlsafe_b64encode(base64.urlsafe_b64decode(payload).replace(b"letter", b"better")).decode()
    for forged in (f"{altered}.{signature}", ticket[:-1], "nothing", SIGNER.session("web:abc", NOW)):
        with pytest.raises(InvalidInput):
            SIGNER.open_ticket("web:abc", forged)
    with pytest.raises(InvalidInput):
        SIGNER.open_session(ticket, NOW)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "web.key"
    key = stored_key(path)
    assert len(key) == 32
    assert stored_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["web.key"]


def test_a_broken_key_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "web.key").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match=r"web\.key"):
        stored_key(tmp_path / "web.key")
