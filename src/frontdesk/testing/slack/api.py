"""The methods of Slack's Web API that an app for customers needs (https://docs.slack.dev/reference/methods)."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from frontdesk.testing.slack import blocks as limits
from frontdesk.testing.slack.api_files import Files
from frontdesk.testing.slack.api_views import Views
from frontdesk.testing.slack.arguments import Method, is_true, structure
from frontdesk.testing.slack.blocks import SlackError
from frontdesk.testing.slack.payloads import EVERY_SCOPE, message_object
from frontdesk.testing.slack.workspace import Place, Post, Workspace

if TYPE_CHECKING:
    from frontdesk.testing.slack.server import FakeSlack


class WebApi:
    """Answers calls. Arguments are strings where they came in a form; `blocks` and the like may be JSON in a string."""

    def __init__(self, slack: "FakeSlack") -> None:
        self._slack = slack
        self.files = Files(slack, self.writable)
        self.views = Views()
        self.methods: dict[str, Method] = {
            **self.files.methods,
            **self.views.methods,
            "auth.test": self._auth_test,
            "auth.revoke": self._auth_revoke,
            "apps.uninstall": self._auth_revoke,
            "assistant.threads.setStatus": self._set_status,
            "assistant.threads.setSuggestedPrompts": self._in_thread,
            "assistant.threads.setTitle": self._in_thread,
            "bots.info": self._bots_info,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.info": self._conversations_info,
            "conversations.join": self._join,
            "conversations.list": self._conversations_list,
            "conversations.members": self._conversations_members,
            "conversations.open": self._open,
            "conversations.replies": self._replies,
            "reactions.add": self._react,
            "reactions.get": self._reactions,
            "reactions.remove": self._unreact,
            "team.info": self._team_info,
            "users.info": self._users_info,
            "users.lookupByEmail": self._lookup,
        }

    # Who we are

    def _auth_test(self, workspace: Workspace, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": f"https://{workspace.host}/",
            "team": workspace.name,
            "user": workspace.bot.name,
            "team_id": workspace.id,
            "user_id": workspace.bot.id,
            "bot_id": workspace.bot_id,
            "is_enterprise_install": False,
        }

    def _auth_revoke(self, workspace: Workspace, _: dict[str, Any]) -> dict[str, Any]:
        workspace.token = None
        return {"revoked": True}

    def _bots_info(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("bot", workspace.bot_id) != workspace.bot_id:
            raise SlackError("bot_not_found")
        bot = {"id": workspace.bot_id, "deleted": False, "name": workspace.bot.name, "app_id": workspace.app_id}
        return {"bot": bot | {"user_id": workspace.bot.id}}

    def _team_info(self, workspace: Workspace, _: dict[str, Any]) -> dict[str, Any]:
        return {"team": {"id": workspace.id, "name": workspace.name, "domain": workspace.host.partition(".")[0]}}

    # Messages

    def _post_message(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self.writable(workspace, arguments)
        text, blocks, attachments = self._content(arguments, most_text=limits.MAX_TEXT)
        post = Post(
            ts=self._slack.clock.ts(),
            user=workspace.bot.id,
            text=text,
            blocks=blocks,
            attachments=attachments,
            thread_ts=arguments.get("thread_ts") or None,
            subtype="thread_broadcast" if is_true(arguments.get("reply_broadcast")) and arguments.get("thread_ts") else None,
            metadata=structure(arguments.get("metadata")),
            by_app=True,
            app_name=arguments.get("username"),
        )
        self._slack.post(place, post)
        return {"channel": place.id, "ts": post.ts, "message": message_object(post, place, self._slack.url)}

    def _post_ephemeral(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self.writable(workspace, arguments)
        if arguments.get("user") not in place.members:
            raise SlackError("user_not_in_channel")
        text, blocks, attachments = self._content(arguments, most_text=limits.MAX_TEXT)
        post = Post(
            ts=self._slack.clock.ts(),
            user=workspace.bot.id,
            text=text,
            blocks=blocks,
            attachments=attachments,
            thread_ts=arguments.get("thread_ts") or None,
            by_app=True,
            seen_by=arguments["user"],
        )
        place.posts.append(post)
        return {"message_ts": post.ts}

    def _update(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place, post = self._own_post(workspace, arguments, "cant_update_message")
        text, blocks, attachments = self._content(arguments, most_bytes=limits.MAX_UPDATED_TEXT)
        before = message_object(post, place, self._slack.url)
        post.text, post.attachments = text, attachments
        post.blocks = blocks if "blocks" in arguments else []
        post.edited = self._slack.clock.ts()
        if "metadata" in arguments:
            post.metadata = structure(arguments["metadata"])
        self._slack.changed(place, post, before)
        return {"channel": place.id, "ts": post.ts, "text": text, "message": message_object(post, place, self._slack.url)}

    def _delete(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place, post = self._own_post(workspace, arguments, "cant_delete_message")
        self._slack.deleted(place, post)
        return {"channel": place.id, "ts": post.ts}

    def _permalink(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self.place(workspace, arguments.get("channel"))
        post = place.post(str(arguments.get("message_ts")))
        if post is None:
            raise SlackError("message_not_found")
        link = f"https://{workspace.host}/archives/{place.id}/p{post.ts.replace('.', '')}"
        return {"channel": place.id, "permalink": f"{link}?thread_ts={post.thread_ts}" if post.thread_ts else link}

    def _own_post(self, workspace: Workspace, arguments: dict[str, Any], refusal: str) -> tuple[Place, Post]:
        place = self.place(workspace, arguments.get("channel"))
        post = place.post(str(arguments.get("ts")))
        if post is None:
            raise SlackError("message_not_found")
        if post.user != workspace.bot.id:
            raise SlackError(refusal)
        return place, post

    @staticmethod
    def _content(
        arguments: dict[str, Any], *, most_text: int | None = None, most_bytes: int | None = None
    ) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
        text = arguments.get("text") or ""
        if not isinstance(text, str):
            raise SlackError("invalid_arguments")
        blocks = limits.checked(arguments.get("blocks"))
        attachments = structure(arguments.get("attachments")) or []
        if not text and not blocks and not attachments:
            raise SlackError("no_text")
        if (most_text and len(text) > most_text) or (most_bytes and len(text.encode()) > most_bytes):
            raise SlackError("msg_too_long")
        # Slack gives an id to each block that has none.
        return text, [{"block_id": uuid4().hex[:5], **block} for block in blocks], attachments

    def writable(self, workspace: Workspace, arguments: dict[str, Any]) -> Place:
        """The place that a message goes to. Raises `SlackError` where the bot must not write."""
        place = self.place(workspace, arguments.get("channel"))
        if place.archived:
            raise SlackError("is_archived")
        if workspace.bot.id not in place.members and place.kind != "channel":
            raise SlackError("channel_not_found")
        if workspace.bot.id not in place.members:
            raise SlackError("not_in_channel")
        return place

    def place(self, workspace: Workspace, id: Any) -> Place:
        """By its id or name; a person's id means the direct message with them."""
        if isinstance(id, str) and id in workspace.members and not workspace.members[id].bot:
            return workspace.direct(id)
        for place in workspace.places.values():
            if id == place.id or (place.name and id in (place.name, f"#{place.name}")):
                return place
        raise SlackError("channel_not_found")

    # Reactions

    def _react(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place, post, name = self._reacted(workspace, arguments)
        if (name, workspace.bot.id) in post.reactions:
            raise SlackError("already_reacted")
        self._slack.react(place, post, name, workspace.bot.id)
        return {}

    def _unreact(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place, post, name = self._reacted(workspace, arguments)
        if (name, workspace.bot.id) not in post.reactions:
            raise SlackError("no_reaction")
        self._slack.react(place, post, name, workspace.bot.id, removed=True)
        return {}

    def _reacted(self, workspace: Workspace, arguments: dict[str, Any]) -> tuple[Place, Post, str]:
        place = self.place(workspace, arguments.get("channel"))
        post = place.post(str(arguments.get("timestamp")))
        if post is None:
            raise SlackError("message_not_found")
        if not arguments.get("name"):
            raise SlackError("invalid_name")
        return place, post, arguments["name"].strip(":")

    def _reactions(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self.place(workspace, arguments.get("channel"))
        if (post := place.post(str(arguments.get("timestamp")))) is None:
            raise SlackError("message_not_found")
        return {"type": "message", "channel": place.id, "message": message_object(post, place, self._slack.url)}

    # Places and people

    def _conversations_info(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"channel": self.place(workspace, arguments.get("channel")).as_object()}

    def _conversations_list(self, workspace: Workspace, _: dict[str, Any]) -> dict[str, Any]:
        visible = [place for place in workspace.places.values() if place.kind == "channel" or workspace.bot.id in place.members]
        return {"channels": [place.as_object() for place in visible], "response_metadata": {"next_cursor": ""}}

    def _conversations_members(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        members = self.place(workspace, arguments.get("channel")).members
        return {"members": list(members), "response_metadata": {"next_cursor": ""}}

    def _open(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("channel"):
            return {"channel": {"id": self.place(workspace, arguments["channel"]).id}}
        users = arguments.get("users") or []
        people = users.split(",") if isinstance(users, str) else list(users)
        if not people or any(person not in workspace.members for person in people):
            raise SlackError("user_not_found")
        place = workspace.direct(people[0]) if len(people) == 1 else workspace.add_place("mpim", "", [*people, workspace.bot.id])
        return {"channel": {"id": place.id}}

    def _join(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self.place(workspace, arguments.get("channel"))
        if place.kind != "channel":
            raise SlackError("method_not_supported_for_channel_type")
        if workspace.bot.id not in place.members:
            place.members.append(workspace.bot.id)
        return {"channel": place.as_object()}

    def _history(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self._readable(workspace, arguments)
        posts = [post for post in place.posts if not post.thread_ts or post.subtype == "thread_broadcast"]
        return self._page(place, list(reversed(posts)), arguments)

    def _replies(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self._readable(workspace, arguments)
        ts = str(arguments.get("ts"))
        if place.post(ts) is None:
            raise SlackError("thread_not_found")
        return self._page(place, [post for post in place.posts if ts in (post.ts, post.thread_ts)], arguments)

    def _readable(self, workspace: Workspace, arguments: dict[str, Any]) -> Place:
        place = self.place(workspace, arguments.get("channel"))
        if workspace.bot.id not in place.members:
            raise SlackError("not_in_channel")
        return place

    def _page(self, place: Place, posts: list[Post], arguments: dict[str, Any]) -> dict[str, Any]:
        oldest, latest = str(arguments.get("oldest") or "0"), str(arguments.get("latest") or "9999999999.999999")
        inclusive = is_true(arguments.get("inclusive"))
        wanted = [
            post
            for post in posts
            if not post.deleted
            and post.seen_by is None
            and (oldest < post.ts < latest or (inclusive and post.ts in (oldest, latest)))
        ]
        start, most = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        more = start + most < len(wanted)
        metadata = is_true(arguments.get("include_all_metadata"))
        return {
            "messages": [
                message_object(post, place, self._slack.url, metadata=metadata) for post in wanted[start : start + most]
            ],
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + most) if more else ""},
        }

    def _users_info(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        member = workspace.members.get(str(arguments.get("user")))
        if member is None:
            raise SlackError("user_not_found")
        return {"user": member.as_object(with_locale=is_true(arguments.get("include_locale")))}

    def _lookup(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        for member in workspace.members.values():
            if member.email and member.email == arguments.get("email"):
                return {"user": member.as_object()}
        raise SlackError("users_not_found")

    # Assistant

    def _set_status(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        place = self.place(workspace, arguments.get("channel_id"))
        if not arguments.get("thread_ts") or place.post(str(arguments["thread_ts"])) is None:
            raise SlackError("invalid_thread_ts")
        place.status[str(arguments["thread_ts"])] = str(arguments.get("status") or "")
        return {}

    def _in_thread(self, workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
        self.place(workspace, arguments.get("channel_id"))
        return {}

    # Installation

    def oauth_access(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """`oauth.v2.access`: a code that was given to a person who allowed the app becomes the bot's token. A code works once."""
        if (arguments.get("client_id"), arguments.get("client_secret")) != (self._slack.client_id, self._slack.client_secret):
            raise SlackError("invalid_client_id")
        found = self._slack.codes.pop(str(arguments.get("code")), None)
        if found is None:
            raise SlackError("invalid_code")
        person = found
        workspace = person.workspace
        return {
            "access_token": workspace.install(),
            "token_type": "bot",
            "scope": EVERY_SCOPE,
            "bot_user_id": workspace.bot.id,
            "app_id": workspace.app_id,
            "team": {"id": workspace.id, "name": workspace.name},
            "enterprise": None,
            "authed_user": {"id": person.id},
            "is_enterprise_install": False,
        }
