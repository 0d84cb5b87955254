"""`make demo-email`: a mail is written with an ordinary client, and the answers are where they belong."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


def test_the_demonstration_shows_a_conversation(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "frontdesk.testing.demo_email"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("  ok  ") == 8
    assert "WRONG" not in done.stdout
    assert "LL-10423" in done.stdout
