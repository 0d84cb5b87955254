"""Files, in the Web API: uploaded in three steps, and asked for (https://docs.slack.dev/messaging/working-with-files)."""

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frontdesk.testing.slack import blocks as limits
from frontdesk.testing.slack.arguments import Method, structure
from frontdesk.testing.slack.blocks import SlackError
from frontdesk.testing.slack.payloads import full_file_object
from frontdesk.testing.slack.workspace import Place, Post, Workspace, new_id

if TYPE_CHECKING:
    from frontdesk.testing.slack.server import FakeSlack


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An address that takes one file."""

    id: str
    name: str
    length: int
    workspace: Workspace
    data: bytearray


class Files:
    """`writable` says where a message goes."""

    def __init__(self, slack: "FakeSlack", writable: Callable[[Workspace, dict[str, Any]], Place]) -> None:
        self._slack = slack
        self._writable = writable
        self.uploads: dict[str, Upload] = {}
        self.methods: dict[str, Method] = {
            "files.completeUploadExternal": self._complete_upload,
            "files.getUploadURLExternal": self._upload_url,
            "files.info": self._files_info,
        }

    def _upload_url(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        name, length = arguments.get("filename"), int(arguments.get("length") or 0)
        if not name or length <= 0:
            raise SlackError("invalid_arguments")
        upload = Upload(id=new_id("F"), name=name, length=length, workspace=workspace, data=bytearray())
        self.uploads[upload.id] = upload
        return {"upload_url": f"{self._slack.url}/upload/v1/{upload.id}", "file_id": upload.id}

    def _complete_upload(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = structure(arguments.get("files")) or []
        if not isinstance(wanted, list) or not wanted:
            raise SlackError("invalid_arguments")
        uploads = [self.uploads.get(str(one.get("id"))) for one in wanted]
        if any(upload is None or upload.workspace is not workspace or not upload.data for upload in uploads):
            raise SlackError("file_not_found")
        place = self._writable(workspace, {"channel": arguments["channel_id"]}) if arguments.get("channel_id") else None
        files = [
            self._slack.add_file(workspace, one.get("title") or upload.name, bytes(upload.data), workspace.bot.id, id=upload.id)
            for one, upload in zip(wanted, uploads, strict=True)
            if upload is not None
        ]
        for file in files:
            del self.uploads[file.id]
        if place is not None:
            post = Post(
                ts=self._slack.clock.ts(),
                user=workspace.bot.id,
                text=arguments.get("initial_comment") or "",
                blocks=limits.checked(arguments.get("blocks")),
                files=files,
                thread_ts=arguments.get("thread_ts") or None,
                subtype="file_share",
            )
            self._slack.post(place, post)
        return {"files": [full_file_object(file, self._slack.url) for file in files]}

    def _files_info(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        file = workspace.files.get(str(arguments.get("file")))
        if file is None:
            raise SlackError("file_not_found")
        if file.deleted:
            raise SlackError("file_deleted")
        return {"file": full_file_object(file, self._slack.url)}


def media_type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
