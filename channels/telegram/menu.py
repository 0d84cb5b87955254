"""The menu of commands beside the field where customers write."""

import re
from collections.abc import Iterator, Mapping, Sequence

import structlog
from telegram import Bot, BotCommand
from telegram.error import BadRequest, TelegramError

from frontdesk.core import markdown
from frontdesk.core.text import Words, in_language

log = structlog.get_logger(__name__)

Menus = Mapping[str, Mapping[str, str]]
"""By language, the empty one for everybody else: what each command does."""

_NAME = re.compile(r"[a-z0-9_]{1,32}")
MAX_DESCRIPTION = 256
MAX_COMMANDS = 100


def menus(commands: Mapping[str, Words], languages: Sequence[str]) -> Menus:
    """In the bot's own language, and for each other one that it speaks."""
    first, *others = languages
    found = {"": _menu(commands, first)}
    for language in others:
        found.setdefault(language.partition("-")[0].lower(), _menu(commands, language))
    return found


async def set_menus(bot: Bot, wanted: Menus) -> None:
    """A menu that cannot be set is no reason not to serve."""
    for language, commands in wanted.items():
        if not (listed := list(_listed(commands))[:MAX_COMMANDS]):
            continue
        try:
            await bot.set_my_commands(listed, language_code=language or None)
        except BadRequest as error:  # no language of Telegram's, for example
            log.warning("the menu of commands cannot be set", language=language or "default", error=error.message)
        except TelegramError as error:
            log.warning("the menu of commands cannot be set", error=error.message)
            return


def _menu(commands: Mapping[str, Words], language: str) -> dict[str, str]:
    return {name: markdown.plain(in_language(words, language)) for name, words in commands.items()}


def _listed(commands: Mapping[str, str]) -> Iterator[BotCommand]:
    """Those that Telegram can show; others can be typed all the same."""
    for name, words in commands.items():
        bare = name.removeprefix("/")
        if _NAME.fullmatch(bare) and words.strip():
            yield BotCommand(bare, words.strip()[:MAX_DESCRIPTION])
