"""What can be set, from a file and from the environment, and how mistakes are told."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from frontdesk.channels.email.settings import EmailSettings
from frontdesk.config.loader import load
from frontdesk.core.errors import ConfigurationError

USUAL = {
    "address": "Support@Shop.example",
    "password": "s3cret",
    "imap_host": "imap.shop.example",
    "smtp_host": "smtp.shop.example",
}


def test_an_address_is_known_as_it_stands_in_mail() -> None:
    (account,) = EmailSettings.model_validate({**USUAL, "address": "Hilfe@Bücher.example"}).accounts
    assert account.address == "hilfe@xn--bcher-kva.example"


def test_the_usual_mailbox_needs_four_settings() -> None:
    (account,) = EmailSettings.model_validate(USUAL).accounts
    assert account.address == "support@shop.example"
    assert (account.imap.host, account.imap.port, account.imap.tls) == ("imap.shop.example", 993, "implicit")
    assert (account.smtp.host, account.smtp.port, account.smtp.tls) == ("smtp.shop.example", 587, "starttls")
    assert account.imap.user == account.smtp.user == "support@shop.example"
    assert account.smtp.password.get_secret_value() == "s3cret"
    assert (account.folder, account.processed) == ("INBOX", None)


@pytest.mark.parametrize(
    ("given", "imap", "smtp"),
    [
        ({"imap_port": 143, "smtp_port": 465}, (143, "starttls"), (465, "implicit")),
        ({"imap_tls": "starttls", "smtp_tls": "implicit"}, (143, "starttls"), (465, "implicit")),
        ({"imap_port": 1993, "smtp_port": 2525}, (1993, "implicit"), (2525, "starttls")),
        ({"imap_tls": "none", "smtp_tls": "none", "allow_plaintext": True}, (143, "none"), (25, "none")),
    ],
)
def test_ports_and_tls_follow_from_each_other(given: dict[str, object], imap: tuple[int, str], smtp: tuple[int, str]) -> None:
    (account,) = EmailSettings.model_validate({**USUAL, **given}).accounts
    assert (account.imap.port, account.imap.tls) == imap
    assert (account.smtp.port, account.smtp.tls) == smtp


def test_several_mailboxes_share_what_they_do_not_say_themselves() -> None:
    settings = EmailSettings.model_validate(
        {
            **USUAL,
            "name": "Shop",
            "processed": "Done",
            "mailboxes": [
                {"address": "sales@shop.example"},
                {"address": "help@other.example", "imap_host": "imap.other.example", "password": "other", "name": "Help"},
            ],
        }
    )
    sales, help = settings.accounts
    assert (sales.name, sales.imap.host, sales.imap.user, sales.processed) == ("Shop", "imap.shop.example", sales.address, "Done")
    assert (help.name, help.imap.host, help.smtp.host) == ("Help", "imap.other.example", "smtp.shop.example")
    assert help.imap.password.get_secret_value() == "other"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"password": None}, "password"),
        ({"password": ""}, "password\n  Value error, it is empty"),
        ({"mailboxes": [{"address": "a@shop.example", "password": ""}]}, "mailboxes.0.password"),
        ({"oauth_token_url": "https://login.example/token", "oauth_client_id": ""}, "oauth_client_id"),
        ({"address": "Shop <support@shop.example>"}, "bare address"),
        ({"address": "support"}, "bare address"),
        ({"imap_tls": "none"}, "allow_plaintext"),
        ({"smtp_tls": "none"}, "allow_plaintext"),
        ({"name": "Shop\r\nBcc: all@home.example"}, "control characters"),
        ({"folder": "INBOX\r\nA1 DELETE INBOX"}, "control characters"),
        ({"mailboxes": [{"name": "no address"}]}, "address"),
        ({"mailboxes": [{"address": "a@shop.example"}, {"address": "A@shop.example"}]}, "same address"),
        ({"imap_hots": "x"}, "imap_hots"),
    ],
)
def test_mistakes_are_told_and_passwords_are_not(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        EmailSettings.model_validate({**USUAL, **given})
    assert told in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_plaintext_is_allowed_on_this_machine() -> None:
    for machine in ("127.0.0.1", "localhost", "::1"):
        EmailSettings.model_validate(
            {**USUAL, "imap_host": machine, "imap_tls": "none", "smtp_host": machine, "smtp_tls": "none"}
        )


def test_nothing_secret_is_in_a_repr() -> None:
    settings = EmailSettings.model_validate(USUAL)
    assert "s3cret" not in repr(settings) + repr(settings.accounts)


def test_the_environment_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frontdesk.yaml").write_text("data_folder: data\n")
    monkeypatch.chdir(tmp_path)
    for name, value in USUAL.items():
        monkeypatch.setenv(f"FRONTDESK_CHANNELS__EMAIL__{name.upper()}", value)
    section = load().settings.enabled_channels["email"]
    assert isinstance(section, EmailSettings)
    assert section.accounts[0].imap.host == "imap.shop.example"
    monkeypatch.delenv("FRONTDESK_CHANNELS__EMAIL__PASSWORD")
    with pytest.raises(ConfigurationError, match=r"channels\.email\.password \(FRONTDESK_CHANNELS__EMAIL__PASSWORD\) is missing"):
        load()
