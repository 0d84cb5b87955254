import asyncio
import gzip
import hashlib
import io
import os
import pickle
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import ConfigurationError, ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.whisper import checkpoints, pull

from .conftest import write_untrained
from .polyglot import MICRO

pytestmark = needs("torch", "whisper")


@dataclass
class Server:
    """Publishes one model, as openai-whisper's server does. It breaks off after so many bytes, once they arrived."""

    data: bytes
    breaks_off: list = field(default_factory=list)
    status: int = 200
    ranges: list = field(default_factory=list)

    async def get(self, request):
        self.ranges.append(request.headers.get("Range"))
        if self.status != 200:
            return web.Response(status=self.status)
        start = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        if start and start >= len(self.data):
            return web.Response(status=416)
        rest = self.data[start:]
        response = web.StreamResponse(status=206 if start else 200, headers={"Content-Length": str(len(rest))})
        await response.prepare(request)
        if self.breaks_off:
            size, arrived = self.breaks_off.pop(0)
            await response.write(rest[:size])
            await until(arrived)
            request.transport.abort()
            return response
        await response.write(rest)
        return response


@pytest.fixture
async def server(monkeypatch):
    import whisper

    server = Server(os.urandom(3_000_000))
    app = web.Application()
    app.router.add_get("/{tail:.*}", server.get)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    digest = hashlib.sha256(server.data).hexdigest()
    monkeypatch.setitem(whisper._MODELS, "tiny", f"http://127.0.0.1:{port}/main/{digest}/tiny.pt")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    await runner.cleanup()


@pytest.fixture
def settings(tmp_path):
    return SpeechSettings(model="tiny", download_folder=tmp_path / "models")


class Reports(list):
    def __call__(self, words, share):
        self.append((words, share))

    @property
    def shares(self):
        return [share for words, share in self if "downloading" in words]


async def test_a_model_is_downloaded_with_progress_and_then_found(server, settings):
    reports = Reports()
    path = await pull(settings, reports)
    assert path == settings.download_folder / "tiny.pt"
    assert path.read_bytes() == server.data
    assert reports.shares == sorted(reports.shares)
    assert reports.shares[-1] == 1.0
    assert [file.name for file in path.parent.iterdir()] == ["tiny.pt"]
    assert await pull(settings, Reports()) == path
    assert await pull(settings.model_copy(update={"offline": True}), Reports()) == path
    assert len(server.ranges) == 1


async def test_a_download_that_broke_off_is_gone_on_with(server, settings):
    part = settings.download_folder / "tiny.pt.part"
    server.breaks_off = [(2_000_000, lambda: part.exists() and part.stat().st_size > 1_000_000)]
    with pytest.raises(ModelUnavailable, match="frontdesk models pull") as raised:
        await pull(settings, Reports())
    assert str(settings.download_folder) in str(raised.value)
    reports = Reports()
    path = await pull(settings, reports)
    assert path.read_bytes() == server.data
    assert server.ranges[0] is None
    assert int(server.ranges[1].removeprefix("bytes=").removesuffix("-")) > 0
    assert reports.shares[0] > 0.3


async def test_a_whole_download_that_was_not_checked_yet_is_not_downloaded_again(server, settings):
    settings.download_folder.mkdir()
    (settings.download_folder / "tiny.pt.part").write_bytes(server.data)
    assert (await pull(settings, Reports())).read_bytes() == server.data


async def test_what_is_not_the_published_model_is_thrown_away(server, settings):
    server.data = b"<html>Log in to the network first</html>"
    with pytest.raises(ModelUnavailable, match="not the published model"):
        await pull(settings, Reports())
    assert list(settings.download_folder.iterdir()) == []


async def test_a_damaged_file_is_downloaded_again(server, settings):
    settings.download_folder.mkdir()
    path = settings.download_folder / "tiny.pt"
    path.write_bytes(server.data[:-1])
    with pytest.raises(ConfigurationError, match=r"damaged.*frontdesk models pull"):
        await pull(settings.model_copy(update={"offline": True}), Reports())
    assert (await pull(settings, Reports())).read_bytes() == server.data


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_a_server_that_refuses_is_said_with_the_fix(server, settings, status):
    server.status = status
    with pytest.raises(ModelUnavailable, match=r"could not be downloaded.*frontdesk models pull"):
        await pull(settings, Reports())


async def test_without_a_network_the_error_names_the_folder_and_the_command(settings, monkeypatch):
    import whisper

    closed = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    monkeypatch.setitem(whisper._MODELS, "tiny", f"http://127.0.0.1:{port}/main/{'0' * 64}/tiny.pt")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelUnavailable, match="frontdesk models pull") as raised:
        await pull(settings, Reports())
    assert str(settings.download_folder) in str(raised.value)


async def test_offline_without_the_model_says_what_to_do(server, settings):
    with pytest.raises(ConfigurationError, match=r"models.speech.offline.*frontdesk models pull") as raised:
        await pull(settings.model_copy(update={"offline": True}), Reports())
    assert str(settings.download_folder) in str(raised.value)
    assert server.ranges == []


async def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    settings = SpeechSettings(model="tiny", download_folder=tmp_path / "file" / "models")
    with pytest.raises(ConfigurationError, match=r"models.speech.download_folder"):
        await pull(settings, Reports())


async def test_a_file_is_taken_as_it_is(tmp_path):
    assert await pull(SpeechSettings(model=str(MICRO)), Reports()) == MICRO


async def test_an_unknown_model_is_said_with_those_that_are_known():
    with pytest.raises(ConfigurationError, match=r"models.speech.model: 'bse' is neither a file nor .* base, .*turbo"):
        await pull(SpeechSettings(model="bse"), Reports())


def test_checkpoints_load_packed_or_not(tmp_path):
    packed = checkpoints.load(MICRO, "cpu")
    path = tmp_path / "micro.pt"
    path.write_bytes(gzip.decompress(MICRO.read_bytes()))
    assert checkpoints.load(path, "auto").dims == packed.dims
    assert not packed.is_multilingual


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("/tmp/a-checkpoint-ran-code",))


def saved(value):
    import torch

    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def bad_files():
    whole = gzip.decompress(MICRO.read_bytes())
    return {
        "text.pt": b"this is no model",
        "empty.pt": b"",
        "truncated.pt": whole[: len(whole) // 2],
        "truncated.pt.gz": MICRO.read_bytes()[:100_000],
        "unpacked.pt.gz": whole[:1000],
        "other_model.pt": saved({"weight": [1.0]}),
        "without_weights.pt": saved({"dims": {}, "model_state_dict": {}}),
        "evil.pt": pickle.dumps(Evil()),
    }


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", bad_files())
def test_what_is_no_checkpoint_is_refused_with_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bad_files()[name])
    with pytest.raises(ConfigurationError, match=r"models.speech.model: .* damaged, or no checkpoint") as raised:
        checkpoints.load(path, "cpu")
    assert name in str(raised.value)
    assert not os.path.exists("/tmp/a-checkpoint-ran-code")


def test_weights_of_other_dimensions_are_refused(tmp_path):
    import torch

    path = tmp_path / "mixed.pt"
    write_untrained(path)
    mixed = torch.load(path)
    mixed["dims"]["n_text_state"] = 64
    torch.save(mixed, path)
    with pytest.raises(ConfigurationError, match="damaged, or no checkpoint"):
        checkpoints.load(path, "cpu")


def test_a_model_that_hears_less_than_thirty_seconds_is_refused(tmp_path):
    path = tmp_path / "short.pt"
    write_untrained(path, n_audio_ctx=750)
    with pytest.raises(ConfigurationError, match="30 seconds"):
        checkpoints.load(path, "cpu")


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:99"])
def test_a_device_that_is_not_there_is_said(device):
    with pytest.raises(ConfigurationError, match=r"models.speech.device"):
        checkpoints.load(MICRO, device)
