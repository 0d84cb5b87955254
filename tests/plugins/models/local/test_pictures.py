"""Pictures as customers send them."""

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import Picture
from frontdesk.core.errors import PromptRejected
from frontdesk.plugins.models.local import pictures
from frontdesk.plugins.models.local.pictures import decode

pytestmark = needs("PIL")


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def image(width: int = 40, height: int = 30, color: str = "red", mode: str = "RGB") -> Any:
    from PIL import Image

    return Image.new(mode, (width, height), color)


def read(data: bytes) -> Any:
    return decode(Picture(data=data, media_type="image/png"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_formats_are_told_by_their_content(kind: str) -> None:
    found = read(encoded(image(), kind))
    assert (found.mode, found.size) == ("RGB", (40, 30))
    red, green, blue = found.getpixel((20, 15))
    assert red > 240
    assert max(green, blue) < 20


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "1", "LA"])
def test_all_kinds_of_colours_are_made_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert read(encoded(image().convert("L" if mode in ("I;16", "LA") else mode).convert(mode), kind)).mode == "RGB"


def test_what_is_transparent_is_white() -> None:
    from PIL import Image

    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert read(encoded(clear)).getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_taken_with_a_phone_on_its_side_is_put_upright() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    assert read(encoded(image(40, 30), "JPEG", exif=exif)).size == (30, 40)


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [image(color=color) for color in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read(data).getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_large_pictures_are_made_smaller_in_their_proportions(kind: str) -> None:
    assert read(encoded(image(4000, 2000), kind)).size == (pictures.MAX_SIDE, pictures.MAX_SIDE // 2)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says that it has so many pixels, and has next to none of them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (10_000, 6_000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_before_they_are_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(PromptRejected):
        read(png_of(*size))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"\x89PNG\r\n\x1a\n",
        png_of(30, 30),
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"%PDF-1.7",
        bytes(pictures.MAX_BYTES + 1),
    ],
    ids=["empty", "text", "svg", "eps", "png without chunks", "png without pixels", "gif", "webp", "pdf", "too long"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PromptRejected):
        read(data)


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "PCX", "TGA"])
def test_formats_that_no_channel_brings_are_refused(kind: str) -> None:
    with pytest.raises(PromptRejected):
        read(encoded(image(), kind))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]), st.data())
def test_broken_pictures_are_read_or_refused(kind: str, data: st.DataObject) -> None:
    """Cut off anywhere, or with bytes changed: nothing but a picture or `PromptRejected` comes out."""
    broken = bytearray(encoded(image(), kind))
    for _ in range(data.draw(st.integers(0, 5))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    broken = broken[: data.draw(st.integers(0, len(broken)))]
    try:
        found = read(bytes(broken))
    except PromptRejected:
        return
    assert found.mode == "RGB"
    assert max(found.size) <= pictures.MAX_SIDE
