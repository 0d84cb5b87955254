"""Mail servers: one in memory, and the real ones."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pydantic import SecretStr

from frontdesk.channels.email.settings import Account, Server, Tls
from frontdesk.testing.mail import MailServer

from .running import BOT, PASSWORDS, Bot, Start, an_app, local
from .servers import RealMail

# A first example that has to import or compile something is no failure, and a busy machine is none either.
hypothesis.settings.register_profile("email", deadline=None)
hypothesis.settings.load_profile("email")


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer(PASSWORDS) as server:
        yield server


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """`tmp_path` is too long for the names of sockets."""
    with tempfile.TemporaryDirectory(prefix="fd", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
async def real(short_folder: Path) -> AsyncIterator[RealMail]:
    async with RealMail(short_folder, PASSWORDS) as real:
        yield real


@pytest.fixture
async def dovecot(short_folder: Path) -> AsyncIterator[RealMail]:
    async with RealMail(short_folder, PASSWORDS, smtp=False) as real:
        yield real


@pytest.fixture
def bot(server: MailServer, tmp_path: Path) -> Start:
    """`async with bot(max_mail=100_000) as bot`."""

    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[Bot]:
        async with an_app(tmp_path, **(local(server) | settings)) as app:
            yield Bot(app, server)

    return start


def host(port: int, *, tls: Tls = "none", user: str = BOT, password: str = "", ca_file: Path | None = None) -> Server:
    return Server(
        host="127.0.0.1",
        port=port,
        tls=tls,
        user=user,
        password=SecretStr(password or PASSWORDS.get(user, "")),
        ca_file=ca_file,
    )


def account(imap_port: int, smtp_port: int = 1, *, folder: str = "INBOX", processed: str | None = None) -> Account:
    return Account(
        address=BOT,
        name="Shop support",
        imap=host(imap_port),
        smtp=host(smtp_port),
        folder=folder,
        processed=processed,
        plus_addressing=False,
    )
