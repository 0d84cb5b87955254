"""Uploads are judged by their bytes, and a file is seen only in its own conversation."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.web import uploads
from frontdesk.channels.web.settings import UPLOAD_TYPES
from frontdesk.channels.web.uploads import media_type
from frontdesk.core.messages import Attachment

from .conftest import Chat

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("word/document.xml", "<w/>")
    return data.getvalue()


async def upload(
    chat: Chat, token: str, data: bytes, name: str = "photo.png", type: str = "image/png", field: str = "file"
) -> tuple[int, dict[str, Any]]:
    form = FormData(quote_fields=False)  # as browsers do
    form.add_field(field, data, filename=name, content_type=type)
    async with chat.client.post("/chat/files", data=form, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("head", "name", "type"),
    [
        (PNG, "a.exe", "image/png"),
        (b"\xff\xd8\xff\xe0", "a", "image/jpeg"),
        (b"GIF89a", "a.gif", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a.webp", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a.wav", "audio/wav"),
        (b"%PDF-1.7", "a.pdf", "application/pdf"),
        (b"OggS\0", "a.ogg", "audio/ogg"),
        (b"ID3\x03", "a.mp3", "audio/mpeg"),
        (b"\0\0\0\x20ftypM4A ", "a.m4a", "audio/mp4"),
        (zipped(), "letter.DOCX", DOCX),
        (zipped(), "letter.zip", "application/zip"),
        ("Grüße, 您好".encode(), "a.txt", "text/plain"),
        ("您好".encode("gbk"), "a.txt", "text/plain"),
        (b"a,b\n1,2", "a.csv", "text/csv"),
        (b"MZ\x90\0", "a.txt", None),
        (b"\x7fELF", "a.png", None),
        (b"\xca\xfe\xba\xbe\0", "a.txt", None),
        (b"#!/bin/sh", "a.txt", None),
        (b"<svg onload=alert(1)>", "a.png", None),
        (b"  \n<!DOCTYPE html>", "a.txt", None),
        (b"\xef\xbb\xbf<html>", "a.txt", None),
        (b"<?xml version='1.0'?><svg/>", "a.jpg", None),
        (b"\0\0\0", "a.txt", None),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head: bytes, name: str, type: str | None) -> None:
    assert media_type(head, name) == type


@given(st.binary(max_size=64), st.text(max_size=20))
def test_no_bytes_become_a_type_that_a_browser_would_run(head: bytes, name: str) -> None:
    type = media_type(head, name)
    assert type is None or type in UPLOAD_TYPES or type.startswith("application/")


async def test_a_file_is_uploaded_sent_and_downloaded(chat: Chat) -> None:
    token = await chat.token()
    status, answer = await upload(chat, token, PNG, "../../etc/pass\u202ewd.png")
    assert status == 201
    assert answer["file"] | {"id": ""} == {"id": "", "name": "pass_wd.png", "media_type": "image/png", "size": len(PNG)}
    sent = {"type": "message", "id": str(uuid4()), "files": [answer["ticket"]]}
    assert (await chat.post(token, sent))[0] == 200
    assert [entry["files"] for entry in (await chat.get(token))["entries"]] == [[answer["file"]]]

    path = f"/chat/files/{answer['file']['id']}"
    async with chat.client.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
        assert await response.read() == PNG
        assert response.content_type == "image/png"
        assert response.headers["Content-Disposition"] == "inline; filename*=UTF-8''pass_wd.png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_a_file_is_not_to_be_had_from_another_conversation(chat: Chat) -> None:
    mine, theirs = await chat.token(), await chat.token()
    _, answer = await upload(chat, mine, PNG)
    await chat.post(mine, {"type": "message", "id": str(uuid4()), "files": [answer["ticket"]]})
    path = f"/chat/files/{answer['file']['id']}"
    async with chat.client.get(path, headers={"Authorization": f"Bearer {theirs}"}) as response:
        assert response.status == 404
    status, problem = await chat.post(theirs, {"type": "message", "id": str(uuid4()), "files": [answer["ticket"]]})
    assert (status, problem["error"]) == (400, "this file was not uploaded here")


async def test_files_of_agents_are_downloads_and_found_far_back(chat: Chat) -> None:
    token = await chat.token()
    conversation = chat.conversation(token)

    async def chunks():  # type: ignore[no-untyped-def]
        yield b"%PDF-1.7"

    stored = await chat.channel.services.attachments.save(chunks(), name='re"ceipt 收据.pdf', media_type="application/pdf")
    await chat.commit(
        conversation,
        chat.reply(conversation, "here", attachments=(stored,)),
        *(chat.reply(conversation, str(number)) for number in range(150)),
    )
    async with chat.client.get(f"/chat/files/{stored.id}", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200
        assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''re_ceipt%20%E6")


@pytest.mark.parametrize("id", ["..%2f..%2fetc%2fpasswd", "0" * 32, "x", "%00", "..", "web.key"])
async def test_no_path_leads_out_of_the_store(chat: Chat, id: str) -> None:
    token = await chat.token()
    async with chat.client.get(f"/chat/files/{id}", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 404


async def test_a_file_that_was_removed_is_404(chat: Chat) -> None:
    token = await chat.token()
    gone = Attachment(id="0" * 32, name="gone.png", media_type="image/png", size=1)
    await chat.commit(chat.conversation(token), chat.reply(chat.conversation(token), "here", attachments=(gone,)))
    async with chat.client.get(f"/chat/files/{gone.id}", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("data", "name", "type", "status"),
    [
        (b"<svg onload=alert(1)>", "photo.png", "image/png", 415),
        (b"<html><script>alert(1)</script>", "page.txt", "text/plain", 415),
        (b"MZ\x90\0\x03", "setup.pdf", "application/pdf", 415),
        (zipped(), "archive.zip", "application/zip", 415),
        (b"", "empty.txt", "text/plain", 400),
    ],
)
async def test_files_that_are_not_wanted_are_refused(chat: Chat, data: bytes, name: str, type: str, status: int) -> None:
    answered, problem = await upload(chat, await chat.token(), data, name, type)
    assert (answered, list(problem)) == (status, ["error"])
    assert not [path for path in chat.channel.services.attachments.folder.rglob("*") if path.is_file()]


async def test_a_form_without_a_file_is_refused(chat: Chat) -> None:
    token = await chat.token()
    assert (await upload(chat, token, PNG, field="other"))[0] == 400
    headers = {"Authorization": f"Bearer {token}"}
    async with chat.client.post("/chat/files", data=PNG, headers=headers) as response:
        assert response.status == 415
    headers["Content-Type"] = "multipart/form-data; boundary=b"
    for body in (b"", b"--b", b"--b\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\nabc", b"no boundary"):
        async with chat.client.post("/chat/files", data=body, headers=headers) as response:
            assert response.status == 400
    headers["Content-Type"] = "multipart/form-data"
    async with chat.client.post("/chat/files", data=PNG, headers=headers) as response:
        assert response.status == 400


BEGUN = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG


@pytest.mark.parametrize("begun", [b"", BEGUN[:20], BEGUN])
async def test_an_upload_that_stalls_is_given_up(chat: Chat, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(uploads, "STALLED", 0.1)

    async def body() -> AsyncIterator[bytes]:
        yield begun
        await asyncio.sleep(90)

    assert await post_form(chat, body()) == 408


async def test_an_upload_that_trickles_is_given_up(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "WITHIN", 0.3, raising=False)

    async def body() -> AsyncIterator[bytes]:
        yield BEGUN
        for _ in range(1_000):
            await asyncio.sleep(0.05)
            yield b"x"

    assert await post_form(chat, body()) == 408
    assert not [path for path in chat.channel.services.attachments.folder.rglob("*") if path.is_file()]


async def post_form(chat: Chat, body: AsyncIterator[bytes]) -> int:
    headers = {"Authorization": f"Bearer {await chat.token()}", "Content-Type": "multipart/form-data; boundary=b"}
    async with asyncio.timeout(60), chat.client.post("/chat/files", data=body, headers=headers) as response:
        return response.status


class TestSmallLimit:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"max_upload": 200_000}

    @pytest.mark.parametrize("size", [200_001, 250_000, 1_000_000])
    async def test_a_large_file_is_refused_and_leaves_nothing(self, chat: Chat, size: int) -> None:
        token = await chat.token()
        try:
            status, problem = await upload(chat, token, PNG + b"\1" * (size - len(PNG)))
        except ConnectionError:
            assert size == 1_000_000
        else:
            assert (status, "larger than" in problem["error"]) == (413, True)
        assert not [path for path in chat.channel.services.attachments.folder.rglob("*") if path.is_file()]

    async def test_the_largest_file_is_taken(self, chat: Chat) -> None:
        status, answer = await upload(chat, await chat.token(), PNG + b"\1" * (200_000 - len(PNG)))
        assert (status, answer["file"]["size"]) == (201, 200_000)


class TestLargeFiles:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"max_upload": 8_000_000}

    async def test_a_file_may_be_larger_than_any_other_request(self, chat: Chat) -> None:
        status, answer = await upload(chat, await chat.token(), PNG + b"\1" * 5_000_000)
        assert (status, answer["file"]["size"]) == (201, 5_000_000 + len(PNG))
