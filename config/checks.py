"""Asks the platforms whether the channels' settings are right, without starting anything and without writing a file."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from pydantic import ValidationError

from frontdesk.config.composition import configured_store
from frontdesk.config.loader import Configuration
from frontdesk.config.plugins import channel_names, find_channel
from frontdesk.config.problems import variable
from frontdesk.core.channel import Services
from frontdesk.core.errors import ConfigurationError, FrontdeskError, Unavailable
from frontdesk.core.events import Events
from frontdesk.core.messages import Message

CHECK_SECONDS = 20.0
BY_COMMAND = {"console": "`frontdesk chat`"}
"""Channels that are not part of a server."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`says` is who we are on the platform, or what is wrong with which setting."""

    channel: str
    right: bool
    says: str


async def check_channels(configuration: Configuration, *, seconds: float = CHECK_SECONDS) -> Sequence[Checked]:
    """All channels that are to run, side by side, each within its time."""
    services = _services(configuration)
    sections = configuration.settings.enabled_channels

    async def check(name: str) -> Checked:
        try:
            async with asyncio.timeout(seconds):
                says = await configuration.channels[name](sections[name], services).check()
        except FrontdeskError as error:
            return Checked(channel=name, right=False, says=str(error))
        except TimeoutError:
            says = (
                f"no answer within {seconds:g} seconds: is the platform reachable from here, by a proxy or through the firewall?"
            )
            return Checked(channel=name, right=False, says=says)
        except Exception as error:
            # Its words may hold a token: of an HTTP error, for example, the whole address.
            return Checked(channel=name, right=False, says=f"the check itself failed: {type(error).__name__}")
        return Checked(channel=name, right=True, says=says)

    return await asyncio.gather(*map(check, sorted(configuration.channels)))


def off_channels(configuration: Configuration) -> Mapping[str, str]:
    """The installed channels that are not to run, with what it takes to run them."""
    return {name: _to_run(name) for name in channel_names() if name not in configuration.channels}


def _to_run(name: str) -> str:
    if name in BY_COMMAND:
        return BY_COMMAND[name]
    try:
        channel = find_channel(name)
        channel.Settings()
    except ConfigurationError as error:
        return str(error)
    except ValidationError as error:
        if missing := [".".join(map(str, one["loc"])) for one in error.errors() if one["type"] == "missing"]:
            key, more = f"channels.{name}.{missing[0]}", ", ".join(missing[1:])
            return f"set `{key}` ({variable(key)})" + (f", and likewise {more}" if more else "")
    return f"write `channels: {{{name}: {{}}}}` into the configuration"


def _services(configuration: Configuration) -> Services:
    """What channels are built with. Nothing of it is open."""
    settings = configuration.settings
    return Services.in_folder(
        settings.data_folder,
        store=configured_store(configuration),
        events=Events(),
        accept=_refuse,
        base_url=settings.web.base_url or f"http://{settings.web.host}:{settings.web.port}",
        languages=settings.languages,
    )


async def _refuse(_: Message) -> NoReturn:
    raise Unavailable("this is only a check: nothing is taken in")
