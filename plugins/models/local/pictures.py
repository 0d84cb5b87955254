"""Pictures that customers send, decoded for a model: whatever is in the file, it costs a bounded amount of memory."""

import io
from typing import Any

from frontdesk.core.chat import Picture
from frontdesk.core.errors import PromptRejected

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""Tried by content. Formats with scripts, with files in files, or of rare decoders are not."""

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
"""Of the file: a few bytes can say that they are a billion pixels."""

MAX_SIDE = 1536
"""Pixels; larger pictures are made smaller. Models cost tokens by the area, and see no more of it."""


def decode(picture: Picture) -> Any:
    """A Pillow image in RGB, upright; the first frame of an animation. Raises `PromptRejected`."""
    from PIL import Image, ImageOps

    if not picture.data:
        raise PromptRejected("the picture is empty")
    if len(picture.data) > MAX_BYTES:
        raise PromptRejected(f"the picture has {len(picture.data)} bytes, more than {MAX_BYTES}")
    try:
        # Opening reads the header only.
        with Image.open(io.BytesIO(picture.data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise PromptRejected(f"the picture has {width} x {height} pixels, more than {MAX_PIXELS}")
            # JPEG only: decodes to a half, a quarter or an eighth of the size at once.
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            image.load()
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((MAX_SIDE, MAX_SIDE))
            return _flat(upright)
    except PromptRejected:
        raise
    except Exception as error:
        # Decoders raise nearly everything on files that are broken: OSError, SyntaxError, struct.error, IndexError ...
        raise PromptRejected(f"the picture cannot be read: it is broken, or none of {', '.join(FORMATS)}") from error


def _flat(image: Any) -> Any:
    """What is transparent is shown on white, as on most pages."""
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat
