"""Linking a conversation's contact with another one by an agent's word, and undoing it."""

from typing import Any

from aiohttp import web

from frontdesk.channels.desk.pages import Pages
from frontdesk.channels.desk.parse import form
from frontdesk.channels.desk.people import People, identity_of
from frontdesk.channels.desk.security import ACCOUNT
from frontdesk.channels.desk.strings import Refusal
from frontdesk.core.channel import Services
from frontdesk.core.contacts import Refused, is_proved
from frontdesk.core.conversations import Conversation


class PeoplePages:
    def __init__(self, pages: Pages, services: Services, people: People) -> None:
        self._pages = pages
        self._services = services
        self._people = people

    def mount(self, app: web.Application) -> None:
        router = app.router
        router.add_get("/c/{id}/link", self.dialog)
        router.add_get("/c/{id}/link/search", self.search)
        router.add_get("/c/{id}/link/confirm", self.confirm)
        router.add_post("/c/{id}/link", self.link)
        router.add_get("/c/{id}/unlink", self.confirm_unlink)
        router.add_post("/c/{id}/unlink", self.unlink)

    async def dialog(self, request: web.Request) -> web.StreamResponse:
        return self._show(request, "_link.html", conversation=await self._conversation(request.match_info["id"]), found=None)

    async def search(self, request: web.Request) -> web.StreamResponse:
        conversation = await self._conversation(request.match_info["id"])
        words = request.query.get("words", "")[:200]
        found = await self._people.search(conversation, words) if words.strip() else None
        return self._show(request, "_found.html", conversation=conversation, found=found)

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        conversation, other = await self._both(request.match_info["id"], request.query.get("other", ""))
        return self._show(request, "_link_confirm.html", conversation=conversation, other=other)

    async def link(self, request: web.Request) -> web.StreamResponse:
        conversation, other = await self._both(request.match_info["id"], (await form(request)).get("other", ""))
        by = f"agent:{request[ACCOUNT].display}"
        try:
            await self._services.contacts.link(identity_of(conversation), identity_of(other), by=by)
        except Refused as refused:
            raise Refusal("same_contact") from refused
        return web.Response(status=204)

    async def confirm_unlink(self, request: web.Request) -> web.StreamResponse:
        conversation = await self._conversation(request.match_info["id"])
        try:
            account = await self._people.linked(conversation, request.query.get("channel", ""), request.query.get("contact", ""))
        except KeyError:
            raise web.HTTPNotFound from None
        return self._show(request, "_unlink_confirm.html", conversation=conversation, account=account)

    async def unlink(self, request: web.Request) -> web.StreamResponse:
        conversation = await self._conversation(request.match_info["id"])
        fields = await form(request)
        try:
            account = await self._people.linked(conversation, fields.get("channel", ""), fields.get("contact", ""))
        except KeyError:
            raise web.HTTPNotFound from None
        await self._services.contacts.unlink(account, by=f"agent:{request[ACCOUNT].display}")
        return web.Response(status=204)

    async def _both(self, id: str, other: str) -> tuple[Conversation, Conversation]:
        """Raises `Refusal` where one of them could have been written by anybody: then a link would be of no use."""
        one, two = await self._conversation(id), await self._conversation(other)
        for conversation in (one, two):
            if not is_proved(conversation.contact, conversation.id):
                raise Refusal("link_unverified", name=self._pages.name_of(conversation))
        return one, two

    async def _conversation(self, id: str) -> Conversation:
        conversation = await self._services.store.conversation(id)
        if conversation is None:
            raise web.HTTPNotFound
        return conversation

    def _show(self, request: web.Request, template: str, **values: Any) -> web.Response:
        return self._pages.show(request, template, **values)
