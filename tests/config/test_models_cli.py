"""`frontdesk models` and `frontdesk ask --model`, as processes of their own; nothing but loopback is reached."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.plugins.models.conftest import needs
from tests.plugins.models.local.conftest import taught_llama  # noqa: F401 - a fixture

from frontdesk.config import inventory
from frontdesk.config.cli.asking import chosen
from frontdesk.core.chat import Usage
from frontdesk.core.errors import ConfigurationError
from frontdesk.plugins.models.remote.ledger import Ledger
from frontdesk.plugins.models.settings import ChatSettings, ModelsSettings
from frontdesk.testing.openai import FakeOpenAI, Fault

from .conftest import Write

pytestmark = pytest.mark.usefixtures("empty_folder")

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


async def frontdesk(*arguments: str | Path, **variables: str) -> Done:
    """Without a way to any hub, and with caches of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in (*PROXIES, "HF_HUB_OFFLINE")}
    here = Path.cwd()
    environment |= {"HF_HOME": str(here / "hub"), "XDG_CACHE_HOME": str(here / "cache"), "HF_ENDPOINT": NOWHERE}
    environment |= {"COLUMNS": "200", "OMP_NUM_THREADS": "1", **variables}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "frontdesk", *map(str, arguments)),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


def configure(write: Write, **models: Any) -> None:
    write(yaml.safe_dump({"models": models}))


def remote(service: FakeOpenAI, **more: Any) -> dict[str, Any]:
    return {"provider": "openai", "model": service.model, "base_url": service.url, "api_key": service.key, "retries": 0, **more}


@pytest.fixture
async def service() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI("openai") as service:
        yield service


@pytest.fixture
def in_cache(tmp_path: Path) -> str:
    """A model that lies in the hub's cache as huggingface_hub keeps it."""
    kept = tmp_path / "hub" / "hub" / "models--acme--tiny"
    snapshot = kept / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("a" * 40)
    (snapshot / "config.json").write_text("{}")
    (snapshot / "model.safetensors").write_bytes(bytes(2_500_000))
    return "acme/tiny"


@pytest.mark.parametrize("command", ["models list", "models pull", "models check", "models bench", "ask"])
async def test_each_help_teaches_with_an_example(command: str) -> None:
    done = await frontdesk(*command.split(), "--help")
    assert done.code == 0
    assert "Example" in done.out
    assert f"frontdesk {command}" in done.out


async def test_with_no_model_the_list_says_that_none_is_needed_and_how_to_have_one() -> None:
    done = await frontdesk("models", "list")
    assert done.code == 0
    assert "No model is configured, and none is needed" in done.out
    assert "speech: {model: base}" in done.out
    assert "minilm" in done.out


@needs("huggingface_hub", "whisper")
async def test_the_list_tells_where_each_model_runs_and_what_is_on_disk(write: Write, in_cache: str, tmp_path: Path) -> None:
    fallback = {"provider": "openai", "model": "gpt-5-mini", "api_key": "s3cret-key"}
    local = {"provider": "local", "model": in_cache, "fallback": fallback}
    configure(write, chat=local, speech={"model": "base"}, voice={"program": "no-such-program"})
    done = await frontdesk("models", "list", "--json")
    chat, remote, speech, voice, embeddings = json.loads(done.out)
    assert (chat["setting"], chat["name"], chat["downloaded"]) == ("models.chat", "local:acme/tiny", True)
    assert chat["bytes"] == 2_500_002
    assert "a process of its own" in chat["runs"]
    assert (remote["setting"], remote["name"]) == ("models.chat.fallback", "openai:gpt-5-mini")
    assert remote["runs"] == "https://api.openai.com/v1"
    assert remote["today"] == {"calls": 0, "prompt": 0, "completion": 0, "cost": 0.0, "budget": None}
    assert (speech["name"], speech["downloaded"]) == ("whisper:base", False)
    assert "no-such-program" in voice["runs"]
    assert embeddings["name"] == "minilm"
    shown = await frontdesk("models", "list")
    assert "2.5 MB in" in shown.out
    assert "not downloaded" in shown.out
    assert "s3cret-key" not in done.out + shown.out
    assert not (tmp_path / "data").exists()  # to look leaves nothing behind


async def test_the_list_tells_what_a_service_has_cost_today(write: Write, service: FakeOpenAI, tmp_path: Path) -> None:
    configure(write, chat=remote(service, daily_budget=5, input_price=1, output_price=2))
    (tmp_path / "data").mkdir()
    ledger = Ledger(tmp_path / "data")
    reservation = await ledger.reserve(f"openai:{service.model}", 0.5, budget=None)
    await ledger.settle(reservation, "web:ann", Usage(prompt=1000, completion=200, cost=0.25))
    await ledger.close()
    done = await frontdesk("models", "list")
    assert "today 1 calls, 1000 tokens read and 200 written, 0.25 of 5 spent" in done.out


async def test_packages_that_are_missing_are_named_with_the_line_that_brings_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(inventory, "find_spec", lambda name: None if name in {"torch", "whisper"} else find_spec(name))
    chat = {"provider": "local", "model": "acme/tiny", "fallback": {"provider": "ollama", "model": "llama3.2"}}
    settings = ModelsSettings.model_validate({"chat": chat, "speech": {}})
    local, ollama, speech, embeddings = await inventory.inventory(settings, tmp_path)
    assert local.missing == ("torch",)
    assert local.install == 'pip install "frontdesk[local-models]"'
    assert local.downloaded is None  # nobody can know
    assert ollama.missing == embeddings.missing == ()
    assert speech.missing == ("whisper", "torch")
    assert speech.install == 'pip install "frontdesk[voice]"'


@needs("huggingface_hub")
async def test_what_is_here_is_not_downloaded_again(in_cache: str) -> None:
    done = await frontdesk("models", "pull", in_cache)
    assert done.code == 0
    assert done.out.startswith("local:acme/tiny: is here, 2.5 MB in ")


@needs("huggingface_hub", "whisper")
async def test_without_a_network_a_pull_names_the_folders_where_files_can_be_put(write: Write, tmp_path: Path) -> None:
    configure(write, chat={"provider": "local", "model": "google/flan-t5-small"}, speech={"model": "base"})
    done = await frontdesk("models", "pull", HTTPS_PROXY=NOWHERE)
    assert done.code == 1
    assert "local:google/flan-t5-small" in done.err
    assert "could not be fetched" in done.err
    assert "set models.chat.model to that folder" in done.err
    assert str(tmp_path / "hub" / "hub" / "models--google--flan-t5-small") in done.err
    assert "whisper:base" in done.err
    assert str(tmp_path / "cache" / "whisper" / "base.pt") in done.err
    assert "Traceback" not in done.err


@needs("huggingface_hub")
@pytest.mark.parametrize(("options", "variables"), [(["--offline"], {}), ([], {"HF_HUB_OFFLINE": "1"})])
async def test_a_pull_that_must_stay_offline_says_so(options: Sequence[str], variables: dict[str, str]) -> None:
    done = await frontdesk("models", "pull", "google/flan-t5-small", *options, **variables)
    assert done.code == 1
    assert "offline" in done.err.lower()
    assert "forbids" in done.err


async def test_with_nothing_to_download_a_pull_says_so() -> None:
    done = await frontdesk("models", "pull")
    assert done.code == 0
    assert "No configured model has anything to download" in done.out


@needs("torch", "transformers")
async def test_a_check_loads_asks_and_measures_each_model(write: Write, service: FakeOpenAI, taught_llama: Any) -> None:  # noqa: F811
    service.say("Yes.")
    chat = {"provider": "local", "model": str(taught_llama.folder), "threads": 1, "device": "cpu", "fallback": remote(service)}
    configure(write, chat=chat)
    done = await frontdesk("models", "check", "--json")
    assert done.code == 0
    local, openai, minilm = json.loads(done.out)
    assert local["right"]
    assert local["load"] > 0
    assert local["memory"] > 50e6
    assert (openai["right"], openai["says"]) == (True, "asked to say yes, it answered: Yes.")
    assert openai["memory"] is None
    assert minilm["says"] == "a text becomes 384 numbers"
    assert service.requests[-1].body["messages"][-1]["content"] == "Say yes."


@needs("whisper", "av")
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="not installed: espeak-ng")
async def test_a_check_has_the_ears_hear_and_the_voice_speak(write: Write) -> None:
    ears = Path(__file__).parents[1] / "plugins" / "models" / "whisper" / "micro.pt.gz"
    configure(write, speech={"model": str(ears), "threads": 1}, voice={})
    done = await frontdesk("models", "check", "--json")
    assert done.code == 0
    speech, voice, _ = json.loads(done.out)
    assert (speech["name"], voice["name"]) == ("whisper:micro.pt.gz", "espeak")
    assert speech["says"] == "in a second of tone it heard no words, rightly"
    assert speech["memory"] > 50e6
    assert voice["says"].startswith("it spoke for ")


async def test_a_check_tells_a_wrong_key_and_a_service_that_is_away(write: Write, service: FakeOpenAI) -> None:
    away = remote(service, base_url=f"{NOWHERE}/v1")
    configure(write, chat=remote(service, api_key="sk-wrong", fallback=away))
    done = await frontdesk("models", "check")
    assert done.code == 1
    assert "models.chat.api_key" in done.out
    assert "models.chat.fallback.base_url" in done.out
    assert "2 of 3 models cannot answer." in done.out
    assert "sk-wrong" not in done.out + done.err


async def test_a_check_of_a_model_that_is_not_there_names_it(write: Write) -> None:
    configure(write, chat={"provider": "local", "model": "/no/such/folder"})
    done = await frontdesk("models", "check", "--json")
    assert done.code == 1
    assert "/no/such/folder" in json.loads(done.out)[0]["says"]


@needs("torch", "transformers")
async def test_a_bench_compares_three_ways_to_the_same_answers(taught_llama: Any) -> None:  # noqa: F811
    done = await frontdesk("models", "bench", "--model", taught_llama.folder, "-n", "4", "--tokens", "12", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert [way["way"] for way in found["ways"]] == ["together", "one after the other", "plain generate"]
    assert len({way["tokens"] for way in found["ways"]}) == 1
    assert all(way["tokens_per_second"] > 0 for way in found["ways"])
    assert found["same"] == 4


async def test_a_service_is_not_measured(write: Write, service: FakeOpenAI) -> None:
    configure(write, chat=remote(service))
    done = await frontdesk("models", "bench")
    assert done.code == 2
    assert "only local models are measured" in done.err
    assert service.requests == []


@needs("torch", "transformers")
async def test_a_local_model_is_asked_by_its_folder(taught_llama: Any) -> None:  # noqa: F811
    done = await frontdesk("ask", "--model", taught_llama.folder, "我想取消我的订单。")
    assert done.code == 0
    assert done.out == "好的，请告诉我订单号。😀\n"
    assert "loading" in done.err


@needs("torch", "transformers")
async def test_an_answer_as_json_tells_tokens_and_times(taught_llama: Any) -> None:  # noqa: F811
    done = await frontdesk("ask", "--json", "--model", f"local:{taught_llama.folder}", "count")
    answer = json.loads(done.out)
    assert answer["text"] == "one two three four five six seven eight"
    assert answer["finish"] == "stop"
    assert answer["usage"]["completion"] > 8
    assert set(answer["seconds"]) == {"loading", "answering"}


@needs("torch", "transformers")
async def test_a_model_that_cannot_be_had_is_one_message(tmp_path: Path) -> None:
    done = await frontdesk("ask", "--model", "google/flan-t5-small", "x", HF_HUB_OFFLINE="1")
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("frontdesk: ") == 1
    assert "google/flan-t5-small" in done.err
    assert "frontdesk models pull" in done.err
    assert "Traceback" not in done.err


async def test_a_service_is_asked_with_the_key_and_address_of_the_configuration(write: Write, service: FakeOpenAI) -> None:
    configure(write, chat=remote(service))
    service.say("Of \x1b[31mcourse\x07.")
    done = await frontdesk("ask", "--model", f"openai:{service.model}", "May I?")
    assert done.code == 0
    assert done.out == "Of [31mcourse.\n"  # nothing that a terminal would obey
    assert service.requests[-1].body["stream"] is True


async def test_a_service_that_fails_is_one_message(write: Write, service: FakeOpenAI) -> None:
    configure(write, chat=remote(service))
    service.fail(Fault(status=500), 9)
    done = await frontdesk("ask", "--model", f"openai:{service.model}", "May I?")
    assert done.code == 2
    assert "openai:test-model" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("google/flan-t5-small", "local", "google/flan-t5-small"),
        ("local:./my-model", "local", "./my-model"),
        ("ollama:llama3.2:3b", "ollama", "llama3.2:3b"),
        ("llama.cpp:any", "llama.cpp", "any"),
        ("C:/models/t5", "local", "C:/models/t5"),
    ],
)
def test_what_a_name_means(text: str, provider: str, model: str) -> None:
    meant = chosen(text, ModelsSettings())
    assert (meant.provider, meant.model) == (provider, model)


def test_an_unknown_provider_is_not_looked_for_on_the_hub() -> None:
    with pytest.raises(ConfigurationError, match="no provider 'opneai'; known are local, openai"):
        chosen("opneai:gpt-5-mini", ModelsSettings())


def test_a_key_comes_from_the_usual_variable_where_none_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="set OPENAI_API_KEY"):
        chosen("openai:gpt-5-mini", ModelsSettings())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    assert key(chosen("openai:gpt-5-mini", ModelsSettings())) == "sk-usual"


def test_what_is_configured_for_a_provider_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    fallback = {"provider": "openai", "model": "gpt-5-mini", "api_key": "sk-own"}
    local = {"provider": "local", "model": "acme/tiny", "adapter": "acme/voice", "threads": 2, "fallback": fallback}
    settings = ModelsSettings.model_validate({"chat": local})
    other = chosen("openai:gpt-5", settings)
    assert (other.model, key(other)) == ("gpt-5", "sk-own")
    same = chosen("acme/tiny", settings)
    assert (same.adapter, same.threads, same.fallback) == ("acme/voice", 2, None)
    different = chosen("acme/large", settings)
    assert (different.adapter, different.threads) == (None, 2)


@pytest.mark.parametrize("text", ["", " ", "openai:", "local:"])
def test_a_name_without_a_model_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="name a model"):
        chosen(text, ModelsSettings())


def key(settings: ChatSettings) -> str | None:
    return settings.api_key.get_secret_value() if settings.api_key is not None else None


@needs("openai")
@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"chat": {"provider": "openai", "model": "x"}}, "models.chat.api_key: openai needs a key"),
        ({"speech": {"provider": "azure", "model": "x", "api_key": "k"}}, "models.speech.base_url"),
        ({"voice": {"provider": "espeak", "program": "/nowhere"}}, "models.voice.program"),
        ({"voice": {"provider": "piper"}}, "models.voice.model (FRONTDESK_MODELS__VOICE__MODEL) = ''"),
        ({"embeddings": {"provider": "ollama"}}, "name the model for ollama"),
        ({"chat": {"provider": "locl", "model": "x"}}, "must be 'local', 'openai', 'azure'"),
    ],
)
async def test_config_check_finds_what_would_stop_a_start(write: Write, models: dict[str, Any], message: str) -> None:
    configure(write, **models)
    done = await frontdesk("config", "check")
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
