"""The App Home and dialogues, in the Web API (https://docs.slack.dev/surfaces/modals)."""

import time
from typing import Any
from uuid import uuid4

from frontdesk.testing.slack import blocks as limits
from frontdesk.testing.slack.arguments import Method, structure
from frontdesk.testing.slack.blocks import SlackError
from frontdesk.testing.slack.workspace import Member, Workspace, new_id

TRIGGER_SECONDS = 3.0


class Views:
    """`triggers` let the app open one dialogue each, for a person who has just done something."""

    def __init__(self) -> None:
        self.triggers: dict[str, tuple[Member, float]] = {}
        self.methods: dict[str, Method] = {
            "views.open": self._views_open,
            "views.publish": self._views_publish,
            "views.push": self._views_open,
            "views.update": self._views_update,
        }

    def _views_publish(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("user_id") not in workspace.members:
            raise SlackError("user_not_found")
        view = self._view(workspace, arguments, "home")
        workspace.homes[arguments["user_id"]] = view
        return {"view": view}

    def _views_open(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        trigger = self.triggers.pop(str(arguments.get("trigger_id")), None)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        member, at = trigger
        if time.monotonic() - at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        view = self._view(workspace, arguments, "modal")
        workspace.views[member.id] = view
        return {"view": view}

    def _views_update(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        for user, view in workspace.views.items():
            if arguments.get("view_id") == view["id"]:
                workspace.views[user] = self._view(workspace, arguments, "modal") | {"id": view["id"]}
                return {"view": workspace.views[user]}
        raise SlackError("not_found")

    def _view(self, workspace: Workspace, arguments: dict[str, Any], kind: str) -> dict[str, Any]:
        view = structure(arguments.get("view"))
        if not isinstance(view, dict) or view.get("type") != kind:
            raise SlackError("invalid_arguments", "view")
        blocks = limits.checked(view.get("blocks"), most=100)
        if kind == "modal" and not (view.get("title") or {}).get("text"):
            raise SlackError("invalid_arguments", "missing required field: title")
        for name in ("title", "submit", "close"):
            if len(str((view.get(name) or {}).get("text", ""))) > 24:
                raise SlackError("invalid_arguments", f"{name}: must be less than 25 characters")
        if len(str(view.get("private_metadata") or "")) > 3000:
            raise SlackError("invalid_arguments", "private_metadata: must be less than 3001 characters")
        return view | {
            "id": new_id("V"),
            "team_id": workspace.id,
            "app_id": workspace.app_id,
            "bot_id": workspace.bot_id,
            "hash": uuid4().hex,
            "blocks": [{"block_id": uuid4().hex[:5], **block} for block in blocks],
            "state": {"values": {}},
        }
