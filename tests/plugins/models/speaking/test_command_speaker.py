"""Programs that speak: one of our own that does as it is told, and eSpeak NG where it is installed."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import ConfigurationError, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.metrics import Metrics
from frontdesk.plugins.models.settings import VoiceSettings
from frontdesk.plugins.models.speaking import CommandSpeaker

pytestmark = needs("av")

SPEAKS = """#!PYTHON
import pathlib, sys, wave
if sys.argv[1].startswith("--voices"):
    print("Pty Language" if sys.argv[1].endswith("=xx") else "Pty Language\\n 5 one")
    sys.exit()
text = sys.stdin.read()
target = next(value for flag, value in zip(sys.argv, sys.argv[1:]) if flag in ("-w", "--output_file"))
pathlib.Path(__file__).with_suffix(".log").write_text(f"{sys.argv[1:]}|{text}")
BODY
"""
WRITES = """
with wave.open(target, "wb") as sound:
    sound.setparams((1, 2, 22050, 0, "NONE", ""))
    sound.writeframes(bytes(2 * 22050))
"""

Make = Callable[..., Any]


@pytest.fixture
async def speaker(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes a speaker whose program does what the test says."""
    started: list[CommandSpeaker] = []

    async def make(body: str = WRITES, **settings: Any) -> CommandSpeaker:
        program = tmp_path / "program"
        program.write_text(SPEAKS.replace("PYTHON", sys.executable).replace("BODY", body))
        program.chmod(0o700)
        model = CommandSpeaker(VoiceSettings.model_validate({"program": str(program), **settings}), metrics=Metrics())
        await model.start()
        started.append(model)
        await model.loaded()
        return model

    yield make
    for model in started:
        await model.stop()


def told(tmp_path: Path) -> str:
    return (tmp_path / "program.log").read_text()


async def test_a_text_becomes_a_voice_note(speaker: Make, tmp_path: Path) -> None:
    speech = await (await speaker()).speak("Hello there.\nHow are you?", language="en-GB")
    assert speech.media_type == "audio/ogg"
    assert speech.data.startswith(b"OggS")
    assert b"OpusHead" in speech.data[:100]
    assert speech.seconds == pytest.approx(1.0, abs=0.1)
    arguments, _, text = told(tmp_path).partition("|")
    assert text == "Hello there. How are you?"
    assert "Hello" not in arguments
    assert "'-v', 'en'" in arguments


async def test_lines_are_sentences(speaker: Make, tmp_path: Path) -> None:
    await (await speaker()).speak("Which order\n\n  KC-1001  \n好的。\nYes", language="en")
    assert told(tmp_path).partition("|")[2] == "Which order. KC-1001. 好的。 Yes."


async def test_chinese_has_another_name_there(speaker: Make, tmp_path: Path) -> None:
    await (await speaker()).speak("你好", language="zh")
    assert "'-v', 'cmn'" in told(tmp_path)


@pytest.mark.parametrize(
    ("text", "language"), [("", "en"), (" \n ", "en"), ("x" * 601, "en"), ("hello", "xx"), ("hello", "../x"), ("hello", "-w")]
)
async def test_what_it_cannot_say_is_refused(speaker: Make, text: str, language: str) -> None:
    with pytest.raises(PromptRejected):
        await (await speaker()).speak(text, language=language)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("sys.exit(3)", "exit code 3", id="it fails"),
        pytest.param("import os; os.kill(os.getpid(), 11)", "exit code -11", id="it crashes"),
        pytest.param("pass", "wrote no sound", id="it writes nothing"),
        pytest.param("open(target, 'w').write('rubbish')", "wrote no sound", id="it writes rubbish"),
    ],
)
async def test_a_program_that_fails_is_named_and_not_its_text(speaker: Make, body: str, words: str) -> None:
    with pytest.raises(ModelFailed) as failure:
        await (await speaker(body)).speak("my secret", language="en")
    assert words in str(failure.value)
    assert "secret" not in str(failure.value)


async def test_a_program_that_has_gone_is_missed_when_it_is_needed(speaker: Make, tmp_path: Path) -> None:
    model = await speaker()
    (tmp_path / "program").unlink()
    with pytest.raises(ModelUnavailable, match=r"models\.voice\.program"):
        await model.speak("hello", language="en")


async def test_a_program_that_cannot_be_run_any_more_has_failed(speaker: Make, tmp_path: Path) -> None:
    model = await speaker()
    (tmp_path / "program").write_text("#!/no/such/interpreter\n")
    with pytest.raises(ModelFailed, match="cannot be run"):
        await model.speak("hello", language="en")


async def test_a_program_that_hangs_is_ended(speaker: Make, tmp_path: Path) -> None:
    body = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    model = await speaker(body, timeout=1.5)
    with pytest.raises(ModelFailed, match="did not end"):
        await model.speak("hello", language="en")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_nobody_waits_for_it_any_more(speaker: Make, tmp_path: Path) -> None:
    body = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    speaking = asyncio.create_task((await speaker(body)).speak("hello", language="en"))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_missing_program_is_named_with_the_fix() -> None:
    with pytest.raises(ConfigurationError, match=r"models\.voice\.program.*espeak-ng"):
        CommandSpeaker(VoiceSettings(program="no-such-program"), metrics=Metrics())


async def test_a_piper_voice_speaks_its_own_language(speaker: Make, tmp_path: Path) -> None:
    voice = tmp_path / "voice.onnx"
    voice.write_bytes(b"...")
    (tmp_path / "voice.onnx.json").write_text(json.dumps({"language": {"code": "de_DE"}}))
    model = await speaker(provider="piper", model=str(voice))
    await model.speak("Guten Tag", language="de")
    assert f"'--model', '{voice}'" in told(tmp_path)
    with pytest.raises(PromptRejected, match="speaks de_DE, not en"):
        await model.speak("Good day", language="en")


async def test_a_missing_piper_voice_is_named_with_the_fix(speaker: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.voice\.model.*download_voices"):
        await speaker(provider="piper", model=str(tmp_path / "voice.onnx"))


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="eSpeak NG is not installed")
@pytest.mark.parametrize(("text", "language"), [("I want to cancel my order.", "en"), ("我想取消我的订单。", "zh")])
async def test_espeak_really_speaks(text: str, language: str, tmp_path: Path) -> None:
    model = CommandSpeaker(VoiceSettings(), metrics=Metrics())
    await model.start()
    try:
        await model.loaded()
        speech = await model.speak(text, language=language)
        assert 0.8 < speech.seconds < 6
        with pytest.raises(PromptRejected):
            await model.speak("?", language="tlh-x")
    finally:
        await model.stop()
