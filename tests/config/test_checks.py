import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from frontdesk.channels.web import WebChannel
from frontdesk.config.checks import check_channels
from frontdesk.config.cli import app
from frontdesk.config.loader import load
from frontdesk.config.plugins import find_channel
from frontdesk.core.errors import ConfigurationError, MissingExtra

from .conftest import Write

pytestmark = pytest.mark.usefixtures("empty_folder")

WRONG = "channels.web.secret (FRONTDESK_CHANNELS__WEB__SECRET): refused; ask for a new one"


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets the process's logs up, which here belong to the tests."""
    monkeypatch.setattr("frontdesk.config.logging.configure", lambda _: None)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: WebChannel) -> str:
        raise ConfigurationError(WRONG)

    monkeypatch.setattr(WebChannel, "check", check)


async def says(monkeypatch: pytest.MonkeyPatch, check: Any) -> tuple[bool, str]:
    monkeypatch.setattr(WebChannel, "check", check)
    checked = {one.channel: one for one in await check_channels(load(), seconds=0.2)}
    assert set(checked) == {"web", "desk"}
    assert checked["desk"].right, "one channel's trouble is not another's"
    return checked["web"].right, checked["web"].says


async def test_a_channel_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: WebChannel) -> str:
        return "@shop_bot"

    assert await says(monkeypatch, check) == (True, "@shop_bot")


async def test_a_platform_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: WebChannel) -> str:
        await asyncio.Event().wait()
        return ""

    right, words = await says(monkeypatch, check)
    assert not right
    assert words.startswith("no answer within 0.2 seconds")


async def test_an_unexpected_error_tells_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: WebChannel) -> str:
        raise RuntimeError("https://api.example/bot123:SECRET/getMe")

    assert await says(monkeypatch, check) == (False, "the check itself failed: RuntimeError")


async def test_a_channel_that_cannot_be_built_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ConfigurationError(WRONG)

    monkeypatch.setattr(WebChannel, "__init__", broken)
    checked = {one.channel: one for one in await check_channels(load())}
    assert (checked["web"].right, checked["web"].says) == (False, WRONG)


def test_a_check_leaves_nothing_behind(cli: CliRunner, tmp_path: Path) -> None:
    done = cli.invoke(app, ["channels", "check"])
    assert done.exit_code == 0
    assert "✓" in done.stdout
    assert "telegram" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("refused")
def test_what_is_wrong_is_said_with_the_fix(cli: CliRunner) -> None:
    done = cli.invoke(app, ["channels", "check"])
    assert done.exit_code == 1
    assert "✗" in done.stdout
    assert WRONG in " ".join(done.stdout.split())
    assert "1 of 2 channels cannot run like this." in done.stdout


@pytest.mark.usefixtures("refused")
def test_programs_get_json(cli: CliRunner) -> None:
    done = cli.invoke(app, ["channels", "check", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert {"channel": "web", "right": False, "says": WRONG} in told["channels"]
    assert told["off"]["telegram"] == "set `channels.telegram.token` (FRONTDESK_CHANNELS__TELEGRAM__TOKEN)"


def test_a_channel_that_is_off_says_what_it_takes(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_slack(name: str) -> object:
        if name == "slack":
            raise MissingExtra("the channel slack", "slack")
        return find_channel(name)

    monkeypatch.setattr("frontdesk.config.checks.find_channel", without_slack)
    off = json.loads(cli.invoke(app, ["channels", "check", "--json"]).stdout)["off"]
    assert 'pip install "frontdesk[slack]"' in off["slack"]
    assert off["console"] == "`frontdesk chat`"
    assert off["email"] == (
        "set `channels.email.address` (FRONTDESK_CHANNELS__EMAIL__ADDRESS), and likewise password, imap_host, smtp_host"
    )
    shown = " ".join(cli.invoke(app, ["channels", "check"]).stdout.split())
    assert 'pip install "frontdesk[slack]"' in shown, "brackets are no markup"


def test_checking_the_configuration_makes_no_key(cli: CliRunner, write: Write, tmp_path: Path) -> None:
    write("data_folder: data")
    assert cli.invoke(app, ["config", "check"]).exit_code == 0
    assert not [path.name for path in tmp_path.rglob("*") if path.name == "web.key"]
