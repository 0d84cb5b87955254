"""What parent and child tell each other: msgpack behind a length of four bytes, over a socket pair."""

from asyncio import IncompleteReadError, StreamReader
from typing import Any, Literal

from msgspec import DecodeError, Struct, msgpack

from frontdesk.core.errors import InvalidInput, ModelError, ModelFailed, ModelUnavailable, PromptRejected

MAX_BYTES = 64 * 2**20
"""Of an argument or a piece: more than any picture or recording that a model takes."""
HEADER = 4
_ROOM = 4096
"""What a frame has around the bytes it carries."""


class Begin(Struct, frozen=True, tag=True):
    """The first frame to a child. `settings` is JSON with its secrets revealed: it is in no argument and no environment."""

    service: str
    settings_class: str
    settings: bytes
    parent: int
    beat_seconds: float
    memory: int | None


class Call(Struct, frozen=True, tag=True):
    id: int
    method: str
    argument: bytes


class Cancel(Struct, frozen=True, tag=True):
    id: int


class Stop(Struct, frozen=True, tag=True):
    pass


class Beat(Struct, frozen=True, tag=True):
    """The child's event loop runs."""


class Loading(Struct, frozen=True, tag=True):
    detail: str
    progress: float | None


class Ready(Struct, frozen=True, tag=True):
    facts: dict[str, Any]


class Broken(Struct, frozen=True, tag=True):
    """It could not be loaded. The child ends behind it."""

    detail: str
    for_good: bool


class Piece(Struct, frozen=True, tag=True):
    id: int
    data: bytes


class End(Struct, frozen=True, tag=True):
    """The last frame of a call, also of a cancelled one."""

    id: int


class Failure(Struct, frozen=True, tag=True):
    """The last frame of a call that raised. `number` is the error's `retry_after` or `status`."""

    id: int
    kind: Literal["unavailable", "rejected", "failed", "invalid"]
    reason: str
    number: float | None = None


ToChild = Begin | Call | Cancel | Stop
FromChild = Beat | Loading | Ready | Broken | Piece | End | Failure

to_child = msgpack.Decoder(ToChild)
from_child = msgpack.Decoder(FromChild)
_encoder = msgpack.Encoder()


class Rubbish(Exception):
    """What came is no frame."""


def encoded(frame: ToChild | FromChild) -> bytes:
    body = _encoder.encode(frame)
    return len(body).to_bytes(HEADER, "big") + body


async def read(reader: StreamReader, decoder: "msgpack.Decoder[Any]") -> Any:
    """The next frame; None at the end. Raises `Rubbish`."""
    try:
        size = int.from_bytes(await reader.readexactly(HEADER), "big")
        if size > MAX_BYTES + _ROOM:
            raise Rubbish(f"a frame of {size} bytes")
        return decoder.decode(await reader.readexactly(size))
    except (IncompleteReadError, ConnectionError):
        return None
    except DecodeError as error:
        raise Rubbish("a frame that cannot be read") from error


def failure(id: int, error: BaseException, described: str) -> Failure:
    """What the caller gets to know of an error: the words of our own, which quote nobody; of others what `described` says."""
    match error:
        case InvalidInput():
            return Failure(id, "invalid", str(error), error.status)
        case ModelUnavailable():
            return Failure(id, "unavailable", str(error), error.retry_after)
        case PromptRejected():
            return Failure(id, "rejected", str(error))
        case ModelError():
            return Failure(id, "failed", str(error))
        case _:
            return Failure(id, "failed", described)


def raised(failure: Failure) -> ModelError | InvalidInput:
    match failure.kind:
        case "invalid":
            return InvalidInput(failure.reason, int(failure.number or 400))
        case "unavailable":
            return ModelUnavailable(failure.reason, failure.number)
        case "rejected":
            return PromptRejected(failure.reason)
        case "failed":
            return ModelFailed(failure.reason)
