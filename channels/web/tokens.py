"""Signed tokens: who may speak in which conversation, and who uploaded which file. Nothing of them is kept on the server."""

import base64
import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from frontdesk.core.errors import ConfigurationError, InvalidInput
from frontdesk.core.messages import Attachment

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    conversation: str
    expires: datetime


class Signer:
    """HMAC-SHA-256. A token of one purpose is never valid for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def session(self, conversation: str, expires: datetime) -> str:
        payload = f"{conversation.removeprefix('web:')}.{int(expires.timestamp()):x}"
        return f"{payload}.{self._sign('session', payload)}"

    def open_session(self, token: str, now: datetime) -> Session:
        """Raises `InvalidInput` (401) if the token is forged or has expired."""
        payload, _, signature = token.rpartition(".")
        if not self._matches(signature, "session", payload):
            raise InvalidInput("the session is not valid", status=401)
        random, _, stamp = payload.partition(".")
        expires = datetime.fromtimestamp(int(stamp, 16), UTC)
        if expires <= now:
            raise InvalidInput("the session has expired", status=401)
        return Session(f"web:{random}", expires)

    def ticket(self, conversation: str, attachment: Attachment) -> str:
        """Proves that a file was uploaded in this conversation."""
        payload = base64.urlsafe_b64encode(msgspec.json.encode(attachment)).decode()
        return f"{payload}.{self._sign('file', conversation, payload)}"

    def open_ticket(self, conversation: str, ticket: str) -> Attachment:
        """Raises `InvalidInput` if the file was not uploaded in this conversation."""
        payload, _, signature = ticket.rpartition(".")
        if not self._matches(signature, "file", conversation, payload):
            raise InvalidInput("this file was not uploaded here")
        return msgspec.json.decode(base64.urlsafe_b64decode(payload), type=Attachment)

    def _sign(self, *fields: str) -> str:
        digest = hmac.digest(self._key, "\0".join(fields).encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _matches(self, signature: str, *fields: str) -> bool:
        return hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), self._sign(*fields).encode())


def new_conversation() -> str:
    return f"web:{secrets.token_urlsafe(16)}"


def derive_key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def stored_key(path: Path) -> bytes:
    """The key in this file, which is made, readable by its owner only, if it is not there. Safe if two processes start."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was faster: its key counts
                os.link(fresh, path)
        finally:
            fresh.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{path} does not hold a key of {KEY_BYTES} bytes; delete it to have a new one made")
    return key
