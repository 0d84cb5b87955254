"""What browsers send, checked: return paths, addresses, origins, forms."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, web

from frontdesk.channels.desk.strings import Refusal
from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment

HOME = "/desk"
MAX_TEXT = 20_000
MAX_FILES = 10

_NONCE = re.compile(r"[0-9a-zA-Z-]{8,64}\Z")
_LOCAL = re.compile(r"/desk(?:/(?![/\\])[^\\\x00-\x20]*|\?[^\\\x00-\x20]*)?\Z")


def local_path(value: str | None) -> str:
    """A path of the desk to go back to, or the desk's first page: never another site."""
    return value if value and _LOCAL.match(value) and not value.startswith("/desk/log") else HOME


def current_path(request: web.Request) -> str:
    """Where the browser is: htmx tells it, for it asks for parts of the page."""
    if request.headers.get("HX-Request") == "true":
        url = urlsplit(request.headers.get("HX-Current-URL", ""))
        return local_path(url.path + (f"?{url.query}" if url.query else ""))
    return local_path(str(request.rel_url)) if request.method == "GET" else HOME


def same_origin(request: web.Request, base_url: str) -> bool:
    """Whether a request that changes something comes from the desk's own pages, as far as its headers tell.

    Fetch Metadata where the browser sends it, else Origin. A client that sends neither is no browser and is judged by the token.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    base = urlsplit(base_url)
    # A proxy may rewrite Host, so the configured address counts too.
    return bool(parts.netloc) and (parts.netloc == request.host or (parts.scheme, parts.netloc) == (base.scheme, base.netloc))


def client_address(request: web.Request, proxies: int) -> str:
    """The address of the client as the last trusted proxy saw it; what is left of that in the header can be forged."""
    if proxies:
        chain = [part.strip() for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        if len(chain) >= proxies and chain[-proxies]:
            return chain[-proxies]
    return request.remote or "?"


async def form(request: web.Request) -> dict[str, str]:
    """The text fields of a submitted form."""
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}


@dataclass(kw_only=True)
class Draft:
    """What an agent wrote. `over` is the agent whose conversation it may take over; `nonce` makes a repetition harmless.

    `of` is the id of the reply that it corrects.
    """

    text: str = ""
    mode: str = "reply"
    over: str = ""
    of: str = ""
    nonce: str | None = None
    files: list[Attachment] = field(default_factory=list)


Permit = Callable[[Draft], Awaitable[None]]


async def draft(request: web.Request, attachments: Attachments, permit: Permit, *, max_upload: int) -> Draft:
    """Reads the composer. Files are streamed to the attachment store, once `permit` has not raised. Raises `InvalidInput`."""
    result = Draft()
    if request.content_type != "multipart/form-data":
        for name, value in (await form(request)).items():
            _set(result, name, value)
        await permit(result)
        return result
    permitted = False
    try:
        reader = await request.multipart()
        async for part in reader:
            if not isinstance(part, BodyPartReader):
                raise InvalidInput("the form is not well formed")
            if part.filename is None:
                _set(result, part.name or "", await _text(part))
            elif part.filename:
                if not permitted:
                    await permit(result)
                    permitted = True
                await _file(result, part, attachments, max_upload)
        if not permitted:
            await permit(result)
    except ValueError as error:
        raise InvalidInput("the form is not well formed") from error
    return result


def _set(result: Draft, name: str, value: str) -> None:
    match name:
        case "text":
            if len(value) > MAX_TEXT:
                raise Refusal("too_long", 413, most=MAX_TEXT)
            result.text = value.replace("\r\n", "\n").replace("\x00", "")
        case "mode" if value in ("reply", "note"):
            result.mode = value
        case "over":
            result.over = value
        case "of":
            result.of = value
        case "nonce" if _NONCE.match(value):
            result.nonce = value


async def _text(part: BodyPartReader) -> str:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > 4 * MAX_TEXT:
            raise Refusal("too_long", 413, most=MAX_TEXT)
    return data.decode("utf-8", "replace")


async def _file(result: Draft, part: BodyPartReader, attachments: Attachments, max_upload: int) -> None:
    if result.mode == "note":
        raise InvalidInput("a note cannot carry files")
    if result.of:
        raise Refusal("not_correctable")
    if len(result.files) >= MAX_FILES:
        raise InvalidInput(f"at most {MAX_FILES} files at once", status=413)

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await part.read_chunk(64 * 1024):
            yield chunk

    media_type = part.headers.get("Content-Type", "").partition(";")[0].strip().lower() or "application/octet-stream"
    saved = await attachments.save(chunks(), name=part.filename or "file", media_type=media_type[:100], max_size=max_upload)
    if saved.size:
        result.files.append(saved)
