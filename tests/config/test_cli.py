"""The command line: what is printed, and with which exit code."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from frontdesk import __version__
from frontdesk.core.conversations import Conversation
from frontdesk.core.messages import Contact, Message, TextPart
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing.platform import free_port

Write = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("empty_folder")

BARE = "plugins: {disabled: [courtesy, escalation, feedback, orders, replies], folders: [own]}\n"
ECHO = (
    """
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import Ask, Reply
from frontdesk.core.plugin import Plugin
plugin = Plugin("echo")

@plugin.pattern("^echo (.+)")
async def echo(turn) -> Reply:
    return Reply(turn.text)
""".replace("(turn)", "(turn: Turn)").replace("import Plugin\n", "import Plugin\nfrom frontdesk.core.turn import Answer, Turn\n")
    + """
@plugin.step
async def picked(answer: Answer) -> Reply:
    return Reply(f"picked {answer}")

@plugin.command("pick", help="Pick")
async def pick(turn: Turn) -> Ask:
    return Ask("Which?", then=picked, choices=[Choice("Red", "r"), Choice("Blue", "b")])
"""
)


def frontdesk(*arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "frontdesk", *arguments]
    return subprocess.run(command, input=input, capture_output=True, text=True, timeout=60, check=False)


def test_version() -> None:
    assert frontdesk("--version").stdout == f"frontdesk {__version__}\n"


@pytest.mark.parametrize("command", ["run", "chat", "ask", "dead list", "dead replay", "config show", "new plugin", "channels"])
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    done = frontdesk(*command.split(), "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout


def test_a_wrong_configuration_is_one_message_and_exit_code_2(write: Write) -> None:
    write("web: {prot: 1}")
    done = frontdesk("config", "check")
    assert done.returncode == 2
    assert done.stderr == "frontdesk: web.prot, from frontdesk.yaml: there is no such key; did you mean `web.port`?\n"


def test_what_is_shown_can_be_used_and_holds_no_secret(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_CHANNELS__WEB__SECRET", "s3cret" * 8)
    monkeypatch.setenv("FRONTDESK_WEB__PORT", "9003")
    shown = frontdesk("config", "show").stdout
    assert "s3cret" not in shown
    assert "port: 9003  # the environment, FRONTDESK_WEB__PORT" in shown
    assert yaml.safe_load(shown)["channels"]["web"]["secret"] == "******"
    as_json = json.loads(frontdesk("config", "show", "--format", "json").stdout)
    assert as_json["web.port"] == {"value": 9003, "from": "the environment, FRONTDESK_WEB__PORT"}
    assert as_json["channels.web.secret"]["value"] == "******"


def test_the_password_in_an_address_is_not_shown(write: Write) -> None:
    write("web: {base_url: 'https://ann:hunter2@shop.example'}")
    assert "hunter2" not in frontdesk("config", "show").stdout


def test_it_is_shown_who_gave_a_mapping(write: Write) -> None:
    write("channels: {web: {title: {en: Tea, zh: 茶}}}")
    as_json = json.loads(frontdesk("config", "show", "--format", "json").stdout)
    assert as_json["channels.web.title"] == {"value": {"en": "Tea", "zh": "茶"}, "from": "frontdesk.yaml"}
    assert as_json["channels.web.color"]["from"] == "default"


def test_a_data_folder_that_cannot_be_made_is_one_message(write: Write) -> None:
    write("data_folder: frontdesk.yaml/data")
    done = frontdesk("config", "check")
    assert done.returncode == 2
    assert done.stderr.startswith("frontdesk: data_folder (FRONTDESK_DATA_FOLDER) = ")


def test_the_help_keeps_square_brackets() -> None:
    assert "[text, intent]" in frontdesk("evaluate", "intents", "--help").stdout


def test_the_channels_and_what_they_can_do() -> None:
    channels = json.loads(frontdesk("channels", "--json").stdout)
    assert channels["web"]["buttons"] is True
    assert channels["console"]["dialect"] == "plain"
    assert "buttons" in frontdesk("channels").stdout
    assert "right" in frontdesk("channels", "check").stdout


def test_a_piped_chat_is_answered_line_by_line(write: Write) -> None:
    write(BARE)
    write(ECHO, "own/echo.py")
    done = frontdesk("chat", input="echo one\n\n/pick\n2\necho \x1b[31mtwo")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "You: echo one\n\nBot: echo one\n\nYou: /pick\n\nBot: Which?\n\n     1. Red\n     2. Blue\n\n"
        "You: [Blue]\n\nBot: picked b\n\nYou: echo [31mtwo\n\nBot: echo [31mtwo\n\n"
    )


def test_a_chat_as_json_has_one_object_for_each_entry(write: Write) -> None:
    write(BARE)
    write(ECHO, "own/echo.py")
    lines = [json.loads(line) for line in frontdesk("chat", "--json", input="echo one\n").stdout.splitlines()]
    assert [line["type"] for line in lines] == ["message", "outgoing"]
    assert lines[1]["text"] == "echo one"


def test_ask_prints_the_answer_alone(write: Write) -> None:
    write(BARE)
    write(ECHO, "own/echo.py")
    assert frontdesk("ask", "echo hello").stdout == "echo hello\n"


def test_a_new_plugin_works_and_so_does_its_test(write: Write) -> None:
    write(BARE)
    Path("own").mkdir()
    assert frontdesk("new", "plugin", "hours").returncode == 0
    assert "hours" in frontdesk("config", "check").stdout
    again = frontdesk("new", "plugin", "hours")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "own"], capture_output=True, text=True, check=False
    )
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("name", ["Hours", "9lives", "../up", "folders"])
def test_a_new_plugin_needs_a_good_name(name: str) -> None:
    assert frontdesk("new", "plugin", name).returncode == 2


def test_dead_letters_are_listed_shown_and_replayed() -> None:
    asyncio.run(_one_dead_letter(Path("data/frontdesk.db")))
    (line,) = frontdesk("dead", "list", "--json").stdout.splitlines()
    number = str(json.loads(line)["seq"])
    assert "secret words" not in frontdesk("dead", "list").stdout
    assert "secret words" in frontdesk("dead", "show", number).stdout
    assert frontdesk("dead", "show", "99").returncode == 2
    assert frontdesk("dead", "replay", "99").returncode == 2
    assert frontdesk("dead", "replay").returncode == 2
    assert frontdesk("dead", "replay", number).stdout == "1 pending again.\n"
    assert frontdesk("dead", "list").stdout == "There are no dead letters.\n"


def test_dead_letters_need_no_secrets_of_channels(write: Write) -> None:
    write("channels: {telegram: {}, email: {address: support@shop.example}}")
    asyncio.run(_one_dead_letter(Path("data/frontdesk.db")))
    assert "KeyError" in frontdesk("dead", "list").stdout


async def _one_dead_letter(path: Path) -> None:
    now, contact = datetime.now(UTC), Contact(id="ann")
    store = SqliteStore(path)
    await store.open()
    await store.accept(
        Message(id="m", channel="web", conversation="web:1", contact=contact, parts=(TextPart("secret words"),), at=now)
    )
    claim = await anext(store.turns())
    await claim.bury(1, "KeyError", Conversation(id="web:1", channel="web", contact=contact, created=now, updated=now), [])
    await store.close()


def test_run_serves_until_it_is_told_to_stop(write: Write) -> None:
    port = free_port()
    write(BARE + f"web: {{port: {port}}}\n")
    Path("own").mkdir()
    process = subprocess.Popen([sys.executable, "-m", "frontdesk", "run"], stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        lines = []
        while not (lines and "Ctrl-C" in lines[-1]):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        said = "".join(lines)
        assert f"Chat page  http://127.0.0.1:{port}/chat" in said
        assert f"http://127.0.0.1:{port}/desk" in said
        assert "/desk/welcome?token=" in said
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
            assert json.load(answer)["status"] == "ok"
        busy = frontdesk("run")
        assert busy.returncode == 2
        assert "another process works on" in busy.stderr
        assert "Traceback" not in busy.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
