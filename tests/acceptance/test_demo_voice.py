"""`make demo-voice`: one sentence is spoken to a bot on four channels, heard by a real model, and does what it says."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.plugins.models.conftest import needs

ROUTES = ("the voice end point", "Telegram", "Slack", "e-mail")

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(900),
    needs("whisper", "torch", "av", "silero_vad", "telegram", "slack_bolt", "aiosmtplib"),
]


def test_the_demonstration_cancels_an_order_on_every_channel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "frontdesk.testing.demo_voice"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=840)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    assert "'I want to cancel my order.'" in done.stdout
    assert done.stdout.count(" is cancelled\n") == len(ROUTES)
    assert all(f"\n{route}" in done.stdout for route in ROUTES)
