"""The Slack channel: takes what Slack sends, over HTTP or Socket Mode, and posts replies."""

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import structlog
from aiohttp import web

from frontdesk.channels.slack import checks, render
from frontdesk.channels.slack.agents import AgentsInSlack
from frontdesk.channels.slack.client import Client, deliveries, open_session
from frontdesk.channels.slack.downloads import Downloads
from frontdesk.channels.slack.inbound import Inbound
from frontdesk.channels.slack.incoming import Listener
from frontdesk.channels.slack.installations import Installations
from frontdesk.channels.slack.oauth import OAuth
from frontdesk.channels.slack.parse import Place
from frontdesk.channels.slack.people import People
from frontdesk.channels.slack.sender import Sender
from frontdesk.channels.slack.settings import SlackSettings
from frontdesk.channels.slack.socket_mode import SocketMode
from frontdesk.channels.slack.uploads import Uploads
from frontdesk.channels.slack.webhooks import Webhooks
from frontdesk.channels.slack.working import Working
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import DeliveryError, InvalidInput
from frontdesk.core.messages import Attachment, Message, Outgoing

log = structlog.get_logger(__name__)


class SlackChannel(Channel):
    """`listeners` are asked about everything that Slack sends before the channel itself, and run beside it."""

    name: ClassVar[str] = "slack"
    Settings: ClassVar[type[SlackSettings]] = SlackSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialect="mrkdwn",
        buttons=True,
        threads=True,
        edits=True,
        changes=True,
        reactions=True,
        typing=True,
        attachments=True,
        max_text=render.MAX_TEXT,
        max_attachment=20 * 1024 * 1024,
    )

    def __init__(self, settings: SlackSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.settings = settings
        self._installations = Installations(services.folder, settings.client_id) if settings.client_id else None
        self.workspaces = Workspaces(settings, self._installations)
        self.people = People(self.workspaces)
        self._working = Working(self.workspaces, settings.working_reaction)
        self._sender = Sender(settings, self.workspaces, Uploads(services.attachments))
        self._downloads = Downloads(self.workspaces, settings.api_url)
        self._agents: AgentsInSlack | None = None
        if settings.agents is not None:
            self._agents = AgentsInSlack(
                settings.agents,
                settings,
                services,
                workspaces=self.workspaces,
                people=self.people,
                downloads=self._downloads,
            )
        self.listeners: list[Listener] = [self._agents] if self._agents else []
        self._inbound = Inbound(
            settings,
            services,
            workspaces=self.workspaces,
            people=self.people,
            working=self._working,
            listeners=self.listeners,
        )

    @property
    def command_prefix(self) -> str:
        """Slack takes every word with a slash for a command of its own, so ours stand behind the app's."""
        return f"{self.settings.command} /"

    def mount(self, http: web.Application) -> None:
        settings = self.settings
        if settings.signing_secret is not None:
            Webhooks(settings.signing_secret.get_secret_value(), self._inbound).mount(http)
        if self._installations is not None and settings.client_secret is not None:
            OAuth(settings, self._installations, self.workspaces, self.services.base_url).mount(http)

    async def start(self) -> None:
        self._session = open_session()
        self.workspaces.open(self._session)
        if self._agents is not None:
            await self._agents.start()

    async def stop(self) -> None:
        if self._agents is not None:
            await self._agents.stop()
        await self._inbound.stop()
        await self._working.stop()
        await self.people.stop()
        await self._session.close()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_who_we_are())
            for listener in self.listeners:
                group.create_task(listener.run())
            if self.settings.app_token is not None:
                client = Client(self._session, self.settings.api_url)
                token = self.settings.app_token.get_secret_value()
                socket_mode = SocketMode(token, client, self._inbound, connections=self.settings.connections)
                group.create_task(socket_mode.run())

    async def _tell_who_we_are(self) -> None:
        """A wrong token is better seen at the start than at the first message."""
        if self.settings.many_workspaces:
            return
        try:
            client = await self.workspaces.client("")
            with deliveries():
                who = await client.auth_test()
        except DeliveryError as error:
            log.error("Slack does not know the bot: frontdesk channels check tells more", error=str(error))
        else:
            self.workspaces.learn_bot(str(who.get("team_id", "")), str(who.get("user_id", "")))
            log.info("Slack knows the bot", bot=who.get("user"), workspace=who.get("team"))

    async def check(self) -> str:
        async with open_session() as session:
            workspaces = Workspaces(self.settings, self._installations)
            workspaces.open(session)
            return await checks.ask(self.settings, workspaces, self._installations)

    async def ready(self, conversation: str) -> None:
        await self._sender.ready(Place.of(conversation))

    async def send(self, outgoing: Outgoing) -> str | None:
        sent = await self._sender.send(outgoing)
        self._working.answered(outgoing.conversation)
        return sent

    async def edit(self, outgoing: Outgoing, platform_id: str) -> str | None:
        return await self._sender.edit(outgoing, platform_id)

    async def fetch(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        if attachment.size > self.capabilities.max_attachment:
            raise InvalidInput(f"the file is larger than {self.capabilities.max_attachment // 1024} kB", status=413)
        async for chunk in self._downloads.chunks(Place.of(message.conversation).account, attachment):
            yield chunk

    async def typing(self, conversation: str) -> None:
        await self._working.show(conversation)
