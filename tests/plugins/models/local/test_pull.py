"""Downloads from a hub on loopback."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import ConfigurationError, FrontdeskError
from frontdesk.plugins.models.local import pull

pytestmark = needs("huggingface_hub")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Answers as the hub does, as far as a download asks. Files in `broken` break off in the middle."""

    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    refuses: tuple[int, str] | None = None
    address: str = ""

    def refused(self) -> web.Response | None:
        if self.refuses is None:
            return None
        status, code = self.refuses
        return web.json_response({"error": code}, status=status, headers={"X-Error-Code": code})

    async def revision(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.match_info["revision"] not in ("main", COMMIT):
            return web.json_response({}, status=404, headers={"X-Error-Code": "RevisionNotFound"})
        siblings = [{"rfilename": name} for name in self.files]
        return self.refused() or web.json_response({"id": "shop/tiny", "sha": COMMIT, "siblings": siblings})

    async def tree(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(
            [{"type": "file", "path": name, "size": len(data), "oid": etag(data)} for name, data in self.files.items()]
        )

    async def file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked.append(f"{request.method} {name}")
        data = self.files[name]
        headers = {"ETag": f'"{etag(data)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-") or 0)
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(data))})
        headers["Content-Length"] = str(len(data) - start)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        if name in self.broken:
            await response.write(data[start : len(data) // 2])
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(data[start:])
        return response


def etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    weights = {f"model-0000{place}-of-00002.safetensors": bytes([place]) * 300_000 for place in (1, 2)}
    index = {"weight_map": {f"tensor{place}": name for place, name in enumerate(weights)}}
    hub = Hub(
        {
            "config.json": b'{"model_type": "t5"}',
            "tokenizer.json": b"{}",
            "model.safetensors.index.json": json.dumps(index).encode(),
            **weights,
            "README.md": b"# Tiny",
            "pytorch_model.bin": b"x" * 300_000,
            "tf_model.h5": b"x" * 300_000,
            "onnx/model.onnx": b"x" * 300_000,
            "original/consolidated.safetensors": b"x" * 300_000,
        }
    )
    app = web.Application()
    app.router.add_get("/api/models/shop/tiny/revision/{revision}", hub.revision)
    app.router.add_get("/api/models/shop/tiny/tree/{revision}", hub.tree)
    app.router.add_get("/shop/tiny/resolve/{revision}/{name:.+}", hub.file)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hub.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield hub
    await runner.cleanup()


@dataclass
class Machine:
    """One with a cache of its own."""

    hub: Hub
    cache: Path
    environment: pytest.MonkeyPatch

    async def folder_of(self, model: str = "shop/tiny", **options: Any) -> tuple[Path | None, list[Any]]:
        """The folder, if it was found, and what was told on the way; an error in the end."""
        from huggingface_hub import constants

        self.environment.setattr(constants, "ENDPOINT", self.hub.address)
        template = f"{self.hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        self.environment.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        told: list[Any] = []
        try:
            found = await asyncio.to_thread(
                pull.folder_of, model, **options, progress=lambda words, share: told.append((words, share))
            )
        except FrontdeskError as error:
            return None, [*told, (type(error).__name__, str(error))]
        return found, told


@pytest.fixture
def machine(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    return Machine(hub, tmp_path / "hub", monkeypatch)


async def test_a_model_is_fetched_once_and_found_ever_after(machine: Machine, hub: Hub) -> None:
    folder, told = await machine.folder_of()
    assert folder is not None
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: data
        for name, data in hub.files.items()
        if name in ("config.json", "tokenizer.json") or "model.safetensors.index" in name or name.startswith("model-0000")
    }
    assert told[0] == ("asking the hub for shop/tiny", None)
    shares = [share for words, share in told[1:] if words == "downloading shop/tiny (1 MB)"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    hub.asked.clear()
    assert await machine.folder_of() == (folder, [])
    assert hub.asked == []


async def test_a_download_that_broke_off_goes_on_where_it_was(machine: Machine, hub: Hub) -> None:
    last = "model-00002-of-00002.safetensors"
    hub.broken.add(last)
    folder, told = await machine.folder_of()
    assert folder is None
    assert told[-1][0] == "ModelUnavailable"
    assert "not whole" in told[-1][1]
    assert "frontdesk models pull shop/tiny" in told[-1][1]
    folder, told = await machine.folder_of(offline=True)
    assert (folder, told[-1][0]) == (None, "ConfigurationError")
    hub.broken.clear()
    hub.asked.clear()
    folder, _ = await machine.folder_of()
    assert folder is not None
    assert (folder / last).read_bytes() == hub.files[last]
    assert "GET model-00001-of-00002.safetensors" not in hub.asked


async def test_a_revision_is_a_model_of_its_own(machine: Machine, hub: Hub) -> None:
    folder, _ = await machine.folder_of(revision=COMMIT)
    assert folder is not None
    assert folder.name == COMMIT
    folder, told = await machine.folder_of(revision="no-such-branch")
    assert folder is None
    assert told[-1] == ("ConfigurationError", "models.chat.model = 'shop/tiny' has no revision 'no-such-branch' on the hub")


@pytest.mark.parametrize(
    ("refuses", "kind", "words"),
    [
        ((401, "RepoNotFound"), "ConfigurationError", "the hub knows no such model, or keeps it private"),
        ((403, "GatedRepo"), "ConfigurationError", "accept a licence on the hub first; then set HF_TOKEN"),
        ((500, ""), "ModelUnavailable", "could not be fetched"),
    ],
)
async def test_what_the_hub_refuses_is_said_with_the_fix(
    machine: Machine, hub: Hub, refuses: tuple[int, str], kind: str, words: str
) -> None:
    hub.refuses = refuses
    folder, told = await machine.folder_of()
    assert folder is None
    assert told[-1][0] == kind
    assert words in told[-1][1]


async def test_no_network_is_told_with_the_folder_and_the_command(machine: Machine) -> None:
    machine.hub.address = "http://127.0.0.1:9"
    folder, told = await machine.folder_of()
    assert folder is None
    assert told[-1][0] == "ModelUnavailable"
    assert f"not whole, in {machine.cache}" in told[-1][1]
    assert "run `frontdesk models pull shop/tiny`" in told[-1][1]


@pytest.mark.parametrize("offline", [True, False])
async def test_offline_nothing_is_asked(machine: Machine, hub: Hub, offline: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", not offline)
    folder, told = await machine.folder_of(offline=offline)
    assert (folder, told[-1][0]) == (None, "ConfigurationError")
    assert ("models.chat.offline" if offline else "HF_HUB_OFFLINE") in told[-1][1]
    assert hub.asked == []


async def test_weights_that_may_carry_code_are_not_fetched(machine: Machine, hub: Hub) -> None:
    for name in [name for name in hub.files if "safetensors" in name]:
        del hub.files[name]
    folder, told = await machine.folder_of()
    assert folder is None
    assert "has no safetensors on the hub" in told[-1][1]
    assert not [asked for asked in hub.asked if asked.startswith("GET")]


async def test_a_name_that_is_none_is_told_as_such(machine: Machine, hub: Hub) -> None:
    folder, told = await machine.folder_of("no such model!")
    assert (folder, told[-1][0]) == (None, "ConfigurationError")
    assert hub.asked == []


def test_a_model_larger_than_the_disk_is_not_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pull, "_cache", lambda: str(tmp_path / "not" / "yet"))
    with pytest.raises(ConfigurationError, match=r"takes 1000000\.0 GB, .* free: set HF_HOME to a larger disk"):
        pull._check_space("shop/tiny", 10**15, "models.chat.model")
    pull._check_space("shop/tiny", 1, "models.chat.model")
