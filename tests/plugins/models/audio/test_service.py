from pathlib import Path

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import InvalidInput
from frontdesk.plugins.models.audio.service import AudioWorker

pytestmark = needs("av")

RECORDINGS = Path(__file__).parents[1] / "whisper" / "recordings"


@pytest.fixture
async def worker():
    worker = AudioWorker()
    await worker.start()
    await worker.loaded()
    yield worker
    await worker.stop()


async def test_recordings_are_rewritten_in_another_process(worker, tmp_path):
    note = await worker.note(RECORDINGS / "cancel.amr", max_seconds=60, seconds=60)
    assert note.speech.data[:4] == b"OggS"
    assert note.speech.seconds == pytest.approx(2.1, abs=0.1)
    assert len(note.peaks) == 100
    bad = tmp_path / "bad.ogg"
    bad.write_text("hello")
    with pytest.raises(InvalidInput, match="could not be read"):
        await worker.note(bad, max_seconds=60, seconds=60)
    with pytest.raises(InvalidInput, match="too long"):
        await worker.note(RECORDINGS / "cancel.amr", max_seconds=1, seconds=60)
    assert (await worker.note(RECORDINGS / "cancel.ogg", max_seconds=60, seconds=60)).speech.seconds > 2
