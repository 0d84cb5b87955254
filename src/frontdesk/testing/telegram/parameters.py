"""The parameters of a call in any of the forms that Telegram takes: query, form, multipart form, JSON.

https://core.telegram.org/bots/api#making-requests
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

MAX_FILE = 50 * 1024 * 1024


class Refused(Exception):
    """An answer with `ok` false. The description is without its beginning such as "Bad Request: "."""

    def __init__(self, description: str, status: int = 400, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True)
class Upload:
    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Parameters:
    """Values in a form are text, those in JSON what JSON says: both are read alike."""

    values: Mapping[str, Any]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value)

    def number(self, name: str) -> int | None:
        value = self.values.get(name)
        try:
            return None if value is None or value == "" else int(value)
        except (TypeError, ValueError):
            raise Refused(f"parameter {name} must be a number") from None

    def flag(self, name: str) -> bool:
        return self.values.get(name) in (True, 1, "true", "True", "1")

    def object(self, name: str) -> Any:
        """A value that is written as JSON in a form. None where it is missing."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            return value or None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(f"can't parse {name} JSON object") from None

    def entities(self, name: str) -> list[dict[str, Any]] | None:
        found = self.object(name)
        if found is None or (isinstance(found, list) and all(isinstance(item, dict) for item in found)):
            return found
        raise Refused("can't parse entities: expected an array of MessageEntity")


async def read_parameters(request: web.Request) -> Parameters:
    """Raises `Refused`."""
    values: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    match request.content_type:
        case "application/json":
            try:
                body = json.loads(await request.text() or "{}")
            except ValueError:
                raise Refused("can't parse JSON object") from None
            if not isinstance(body, dict):
                raise Refused("object expected as JSON")
            values.update(body)
        case "multipart/form-data":
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                name = part.name or ""
                if part.filename is None:
                    values[name] = await part.text()
                else:
                    uploads[name] = Upload(
                        part.filename, part.headers.get("Content-Type", "application/octet-stream"), bytes(await part.read())
                    )
        case _:
            values.update(await request.post())
    if any(len(upload.data) > MAX_FILE for upload in uploads.values()):
        raise Refused("Request Entity Too Large", status=413)
    return Parameters(values, uploads)
