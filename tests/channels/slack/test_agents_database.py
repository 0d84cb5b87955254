"""What is kept of agents' threads, over versions of the file."""

import sqlite3
from pathlib import Path

import pytest

from frontdesk.channels.slack.agents_database import FILE, AgentsDatabase, Line, _create
from frontdesk.core.errors import ConfigurationError


async def test_a_file_from_before_versions_were_kept_goes_on(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as old:
        _create(old)
        old.execute("INSERT INTO lines VALUES ('1.1', 't', 'U1', 'test:1/agent/x', 'sent', 0)")
    old.close()
    for _ in range(2):
        database = await AgentsDatabase.open(tmp_path, "C1")
        line = Line(thread="t", ts="1.1", user="U1", reply="test:1/agent/x", settled="sent")
        assert await database.line("1.1") == line
        await database.close()


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    database = await AgentsDatabase.open(tmp_path, "C1")
    await database.close()
    with sqlite3.connect(tmp_path / FILE) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ConfigurationError, match=f"{FILE} has schema version 99"):
        await AgentsDatabase.open(tmp_path, "C1")
