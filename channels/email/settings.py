"""What an operator can set for e-mail: one mailbox, or several."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from frontdesk.channels.email.headers import normal
from frontdesk.channels.email.oauth import Tokens

Tls = Literal["implicit", "starttls", "none"]
MB = 1024 * 1024
IMAP_PORTS: dict[Tls, int] = {"implicit": 993, "starttls": 143, "none": 143}
SMTP_PORTS: dict[Tls, int] = {"implicit": 465, "starttls": 587, "none": 25}
ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[^@\s<>,;:\"()\[\]\\]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where to connect and who to be there: by `tokens` if there are some, else by `password`, and without a user as nobody.

    `ca_file` names certificates to trust instead of the system's.
    """

    host: str
    port: int
    tls: Tls
    user: str
    password: SecretStr
    ca_file: Path | None = None
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One mailbox with nothing left out. `address`, in lower case and as it stands in the DNS, names it in conversation ids."""

    address: str
    name: str
    imap: Server
    smtp: Server
    folder: str
    processed: str | None
    plus_addressing: bool


class MailboxSettings(BaseModel):
    """What is left out of one of several mailboxes is taken from the section itself, and what is left out there has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: str | None = Field(None, description="the address that customers write to, such as support@shop.example")
    name: str | None = Field(None, description="the name beside the address on what the bot sends, such as Shop support")
    user: str | None = Field(None, description="the name to log in with; the address if nothing is given")
    password: SecretStr | None = Field(
        None, description="the mailbox's password; with two-factor logins an app password, made at the provider"
    )
    imap_host: str | None = Field(None, min_length=1, description="the server that mail is read from, such as imap.shop.example")
    imap_port: int | None = Field(None, ge=1, le=65535, description="993 with implicit TLS, else 143")
    imap_tls: Tls | None = Field(None, description="implicit, or starttls on port 143; none only on this machine")
    smtp_host: str | None = Field(None, min_length=1, description="the server that mail is sent by, such as smtp.shop.example")
    smtp_port: int | None = Field(None, ge=1, le=65535, description="587 with STARTTLS, 465 with implicit TLS")
    smtp_tls: Tls | None = Field(None, description="starttls, or implicit on port 465; none only on this machine")
    smtp_user: str | None = Field(
        None, description="the name to log in with for sending, if it is another one; empty for a server that asks for none"
    )
    smtp_password: SecretStr | None = Field(None, description="the password for sending, if it is another one")
    oauth_token_url: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="for providers that take no passwords: where access tokens are given"
    )
    oauth_client_id: str | None = Field(None, description="the application that is registered with the provider")
    oauth_client_secret: SecretStr | None = Field(None, description="its secret")
    oauth_refresh_token: SecretStr | None = Field(
        None, description="what the mailbox's owner has granted; without one the application acts for itself"
    )
    oauth_scope: str | None = Field(None, description="such as https://outlook.office365.com/.default")
    ca_file: Path | None = Field(None, description="certificates to trust, in PEM, for servers with a certificate of their own")
    folder: str = Field("INBOX", min_length=1, description="the folder that is watched")
    processed: str | None = Field(
        None, min_length=1, description="a folder that read mail is moved to; without one it is marked as read and stays"
    )
    plus_addressing: bool = Field(
        False,
        description="answer from support+token@shop.example; only if your server delivers such mail to support@shop.example",
    )

    @field_validator("address")
    @classmethod
    def _an_address(cls, address: str | None) -> str | None:
        if address is not None and not ADDRESS.fullmatch(address):
            raise ValueError("write the bare address, such as support@shop.example")
        return address and (normal(address) or address.lower())

    @field_validator("folder", "processed", "user", "smtp_user", "name", "imap_host", "smtp_host")
    @classmethod
    def _on_one_line(cls, value: str | None) -> str | None:
        if value is not None and re.search(r"[\x00-\x1f\x7f]", value):
            raise ValueError("control characters are not allowed here")
        return value


class EmailSettings(MailboxSettings):
    """Sizes are in bytes, times in seconds. One mailbox is set here; several are listed in `mailboxes`."""

    mailboxes: tuple[MailboxSettings, ...] = Field(
        (), description="several mailboxes; each needs its address, and may have any key that describes a mailbox"
    )
    allow_plaintext: bool = Field(False, description="let passwords and mail cross a network without TLS")

    idle: bool = Field(True, description="be told of new mail at once where the server can (IMAP IDLE)")
    poll_seconds: float = Field(60, gt=0, le=86_400, description="how often to look for new mail where it cannot, or does not")
    max_age_days: int = Field(
        14, ge=1, le=3650, description="mail that arrived longer ago is left alone, so that a first start answers no old mail"
    )
    max_mail: int = Field(25 * MB, ge=64 * 1024, description="of larger mail only the beginning is fetched")
    max_attachment: int = Field(20 * MB, ge=0, description="larger attachments are named, and not kept")
    smtp_connections: int = Field(3, ge=1, le=50, description="so many mails of one mailbox are sent at the same time")
    timeout: float = Field(30, gt=0, le=120, description="how long a mail server may take for an answer")

    answers_per_sender: int = Field(
        20,
        ge=1,
        description="mails of one sender in an hour that the bot answers, and three times as many in a day; the rest is recorded",
    )
    answers_per_hour: int = Field(
        500, ge=1, description="answers of the bot from one mailbox in an hour; what is above waits, and is reported as an error"
    )
    trusted_servers: tuple[str, ...] = Field(
        (),
        description="names with which your own mail server begins the header Authentication-Results; only those are believed",
    )
    domain: str | None = Field(
        None, pattern=r"^[A-Za-z0-9.-]{1,200}$", description="stands in Message-IDs; the mailbox's own domain if nothing is given"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        problems: list[InitErrorDetails] = []
        for index, mailbox in enumerate(self._mailboxes()):
            place = ("mailboxes", index) if self.mailboxes else ()
            problems += _problems(mailbox, place, allow_plaintext=self.allow_plaintext)
        if problems:
            raise ValidationError.from_exception_data("email", problems, hide_input=True)
        addresses = [mailbox.address for mailbox in self._mailboxes()]
        if len(set(addresses)) < len(addresses):
            raise ValueError("two of the mailboxes have the same address")
        return self

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(_account(mailbox) for mailbox in self._mailboxes())

    def _mailboxes(self) -> tuple[MailboxSettings, ...]:
        shared = {name: value for name in MailboxSettings.model_fields if (value := getattr(self, name)) is not None}
        if not self.mailboxes:
            return (MailboxSettings.model_construct(**shared),)
        shared.pop("address", None)
        return tuple(
            MailboxSettings.model_construct(**{**shared, **{name: getattr(mailbox, name) for name in mailbox.model_fields_set}})
            for mailbox in self.mailboxes
        )


def _problems(mailbox: MailboxSettings, place: tuple[str | int, ...], *, allow_plaintext: bool) -> Iterator[InitErrorDetails]:
    secret = "password" if mailbox.oauth_token_url is None else "oauth_client_id"
    for name in ("address", secret, "imap_host", "smtp_host"):
        value = getattr(mailbox, name)
        if value is None:
            yield {"type": "missing", "loc": (*place, name), "input": None}
        elif not value:
            error = ValueError("it is empty: give it a value")
            yield {"type": "value_error", "loc": (*place, name), "input": "", "ctx": {"error": error}}
    for protocol, tls in (("imap", _imap_tls(mailbox)), ("smtp", _smtp_tls(mailbox))):
        host = getattr(mailbox, f"{protocol}_host")
        if host and tls == "none" and not (allow_plaintext or _is_this_machine(host)):
            error = ValueError(
                "without TLS everybody on the way reads the password: use implicit or starttls, or set allow_plaintext"
            )
            yield {"type": "value_error", "loc": (*place, f"{protocol}_tls"), "input": tls, "ctx": {"error": error}}


def _account(mailbox: MailboxSettings) -> Account:
    address, password = mailbox.address, mailbox.password or SecretStr("")
    assert address is not None
    assert mailbox.imap_host is not None
    assert mailbox.smtp_host is not None
    imap_tls, smtp_tls = _imap_tls(mailbox), _smtp_tls(mailbox)
    tokens = _tokens(mailbox)
    return Account(
        address=address,
        name=mailbox.name or "",
        imap=Server(
            host=mailbox.imap_host,
            port=mailbox.imap_port or IMAP_PORTS[imap_tls],
            tls=imap_tls,
            user=mailbox.user or address,
            password=password,
            ca_file=mailbox.ca_file,
            tokens=tokens,
        ),
        smtp=Server(
            host=mailbox.smtp_host,
            port=mailbox.smtp_port or SMTP_PORTS[smtp_tls],
            tls=smtp_tls,
            user=(mailbox.user or address) if mailbox.smtp_user is None else mailbox.smtp_user,
            password=mailbox.smtp_password or password,
            ca_file=mailbox.ca_file,
            tokens=tokens,
        ),
        folder=mailbox.folder,
        processed=mailbox.processed,
        plus_addressing=mailbox.plus_addressing,
    )


def _tokens(mailbox: MailboxSettings) -> Tokens | None:
    if mailbox.oauth_token_url is None or mailbox.oauth_client_id is None:
        return None
    return Tokens(
        url=mailbox.oauth_token_url,
        client_id=mailbox.oauth_client_id,
        client_secret=mailbox.oauth_client_secret,
        refresh_token=mailbox.oauth_refresh_token,
        scope=mailbox.oauth_scope,
    )


def _imap_tls(mailbox: MailboxSettings) -> Tls:
    return mailbox.imap_tls or ("starttls" if mailbox.imap_port == IMAP_PORTS["starttls"] else "implicit")


def _smtp_tls(mailbox: MailboxSettings) -> Tls:
    return mailbox.smtp_tls or ("implicit" if mailbox.smtp_port == SMTP_PORTS["implicit"] else "starttls")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
