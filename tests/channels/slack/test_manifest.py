"""The app's manifest asks for what the code uses."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from frontdesk.channels import slack
from frontdesk.channels.slack import SlackSettings
from frontdesk.channels.slack.inbound import HAND_OVER
from frontdesk.channels.slack.oauth import REDIRECT
from frontdesk.channels.slack.settings import OPTIONAL, SCOPES
from frontdesk.channels.slack.webhooks import COMMANDS, EVENTS, INTERACTIONS


@pytest.fixture
def manifest() -> Any:
    return yaml.safe_load((Path(slack.__file__).parent / "manifest.yaml").read_text())


def test_scopes_and_addresses(manifest: Any) -> None:
    assert manifest["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert set(SCOPES) > OPTIONAL
    assert manifest["oauth_config"]["redirect_urls"][0].endswith(REDIRECT)
    assert manifest["settings"]["event_subscriptions"]["request_url"].endswith(EVENTS)
    assert manifest["settings"]["interactivity"]["request_url"].endswith(INTERACTIONS)


def test_commands_and_shortcuts(manifest: Any) -> None:
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == SlackSettings.model_fields["command"].default
    assert command["url"].endswith(COMMANDS)
    assert {shortcut["callback_id"] for shortcut in manifest["features"]["shortcuts"]} == HAND_OVER
