"""What Slack sends: objects and events as its documentation shows them (https://docs.slack.dev/reference/events)."""

import time
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from frontdesk.testing.slack.workspace import Member, Place, Post, StoredFile, Workspace, new_id

VERIFICATION_TOKEN = "verification-token"  # noqa: S105 - deprecated by Slack, sent all the same
EVERY_SCOPE = (
    "app_mentions:read,assistant:write,channels:history,channels:read,chat:write,chat:write.public,commands,files:read,files:write,"
    "groups:history,groups:read,im:history,im:read,im:write,mpim:history,mpim:read,reactions:read,reactions:write,users:read,"
    "users:read.email"
)


def file_object(file: StoredFile, url: str) -> dict[str, Any]:
    """https://docs.slack.dev/reference/objects/file-object"""
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    if not file.visible:
        return {
            "id": file.id,
            "mode": "file_access",
            "file_access": "check_file_info",
            "created": 0,
            "timestamp": 0,
            "user": file.user,
        }
    return full_file_object(file, url)


def full_file_object(file: StoredFile, url: str) -> dict[str, Any]:
    private = f"{url}/files-pri/{file.team}-{file.id}"
    name = quote(file.name.rsplit("/", 1)[-1].lower().replace(" ", "_"))
    body: dict[str, Any] = {
        "id": file.id,
        "created": file.at,
        "timestamp": file.at,
        "name": file.name,
        "title": file.name,
        "mimetype": file.media_type,
        "filetype": file.name.rpartition(".")[2].lower() or "binary",
        "pretty_type": "Binary",
        "user": file.user,
        "user_team": file.team,
        "editable": False,
        "size": len(file.data),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{private}/{name}",
        "url_private_download": f"{private}/download/{name}",
        "permalink": f"{url}/files/{file.user}/{file.id}/{name}",
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.clip:
        body |= {
            "subtype": file.clip,
            "media_display_type": "audio" if file.clip == "slack_audio" else "video",
            "duration_ms": int((file.seconds or 0) * 1000),
            "transcription": {"status": "processing"},
            "audio_wave_samples": [1, 20, 60, 20, 1],
        }
    return body


def message_object(post: Post, place: Place, url: str, *, metadata: bool = False) -> dict[str, Any]:
    """https://docs.slack.dev/reference/events/message"""
    workspace = place.workspace
    body: dict[str, Any] = {"type": "message", "user": post.user, "ts": post.ts, "text": post.text, "team": workspace.id}
    if post.subtype:
        body["subtype"] = post.subtype
    if post.client_msg_id:
        body["client_msg_id"] = post.client_msg_id
    if post.blocks:
        body["blocks"] = post.blocks
    if post.attachments:
        body["attachments"] = post.attachments
    if post.files:
        body |= {"files": [file_object(file, url) for file in post.files], "upload": False, "display_as_bot": False}
    if post.by_app:
        body |= {
            "bot_id": workspace.bot_id,
            "app_id": workspace.app_id,
            "bot_profile": {
                "id": workspace.bot_id,
                "app_id": workspace.app_id,
                "user_id": workspace.bot.id,
                "name": workspace.bot.name,
                "team_id": workspace.id,
                "deleted": False,
            },
        }
    if post.edited:
        body["edited"] = {"user": post.user, "ts": post.edited}
    replies = [other for other in place.posts if other.thread_ts == post.ts and other.ts != post.ts and not other.deleted]
    if post.thread_ts or replies:
        body["thread_ts"] = post.thread_ts or post.ts
        if post.thread_ts and (root := place.post(post.thread_ts)):
            body["parent_user_id"] = root.user
    if replies:
        body |= {"reply_count": len(replies), "latest_reply": replies[-1].ts}
    if post.subtype == "thread_broadcast" and post.thread_ts and (root := place.post(post.thread_ts)):
        body["root"] = message_object(root, place, url)
    if post.reactions:
        names = dict.fromkeys(name for name, _ in post.reactions)
        body["reactions"] = [
            {"name": name, "users": [user for other, user in post.reactions if other == name], "count": 1} for name in names
        ]
    if metadata and post.metadata:
        body["metadata"] = post.metadata
    return body


def in_place(event: dict[str, Any], place: Place, ts: str) -> dict[str, Any]:
    """The event of a message, as it is sent."""
    return event | {"channel": place.id, "event_ts": ts, "channel_type": place.event_kind}


def event_callback(workspace: Workspace, event: dict[str, Any]) -> dict[str, Any]:
    """https://docs.slack.dev/apis/events-api: the frame around each event, with an id of its own."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.id,
        "context_team_id": workspace.id,
        "context_enterprise_id": None,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.id,
                "user_id": workspace.bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{uuid4().hex}",
    }


def interaction(kind: str, person: Member, trigger_id: str) -> dict[str, Any]:
    """What all interactions share (https://docs.slack.dev/reference/interaction-payloads)."""
    workspace = person.workspace
    return {
        "type": kind,
        "user": {
            "id": person.id,
            "username": person.name.lower().replace(" ", "."),
            "name": person.name.lower().replace(" ", "."),
            "team_id": workspace.id,
        },
        "api_app_id": workspace.app_id,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
        "team": {"id": workspace.id, "domain": workspace.host.partition(".")[0]},
        "enterprise": None,
        "is_enterprise_install": False,
    }
