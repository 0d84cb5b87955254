"""Password rules and hashes, after OWASP ASVS 5.0, chapter 6.2: length and a list of common ones, no composition rules."""

import asyncio
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from frontdesk.channels.desk.strings import Refusal

MIN_LENGTH = 12
MAX_LENGTH = 256


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _normal(password: str) -> str:
    # The same password typed on another keyboard may come in another normal form.
    return unicodedata.normalize("NFKC", password)


def check_policy(password: str, *names: str) -> None:
    """Raises `Refusal` for a password that is too short, too long, common, or made of the account's own names."""
    password = _normal(password)
    if len(password) < MIN_LENGTH:
        raise Refusal("password_short", least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Refusal("password_long", most=MAX_LENGTH)
    folded = password.casefold()
    core = folded.strip("0123456789!@#$%^&*?._- ")
    own = {name.casefold() for name in names if name}
    if folded in _common() or core in _common() or core in own or len(set(folded)) < 5:
        raise Refusal("password_common")


class Passwords:
    """Argon2id in threads: two at once, since each takes 64 MiB and a core."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(2)
        self._decoy = self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, hash: str | None, password: str) -> bool:
        """Takes as long without a hash (an unknown account) as with one, so that the answer's time tells nothing."""
        async with self._slots:
            right = await asyncio.to_thread(self._verify, hash or self._decoy, _normal(password[: MAX_LENGTH + 1]))
        return right and hash is not None

    def outdated(self, hash: str) -> bool:
        return self._hasher.check_needs_rehash(hash)

    def _verify(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False
