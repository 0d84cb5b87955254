"""Commands: `/help`, `/language` and `/voice` are the core's own, the others belong to plugins."""

import re
from collections.abc import Callable, Sequence

from frontdesk.core.dialogue import phrases
from frontdesk.core.effects import Routed
from frontdesk.core.outcomes import Reply
from frontdesk.core.registry import Registry
from frontdesk.core.text import Words
from frontdesk.core.turn import Arguments, Turn

_COMMAND = re.compile(r"/(?P<name>[A-Za-z][\w-]*)(?:@\w+)?(?:\s+(?P<arguments>.*))?\Z", re.DOTALL)
MAX_INTENTS_IN_HELP = 12
OFF = ("off", "no", "stop", "关", "关闭", "aus", "nein", "non", "arrêt", "apagar")
"""What turns reading aloud off, behind `/voice`."""


class Commands:
    """`speaks`: replies can be read aloud. `prefix` tells, for a channel, what customers write before a command's name there."""

    def __init__(
        self,
        registry: Registry,
        languages: Sequence[str],
        *,
        speaks: bool = False,
        prefix: Callable[[str], str] = lambda _: "/",
    ) -> None:
        self._registry = registry
        self._speaks = speaks
        self._prefix = prefix
        self._languages = {language.lower(): language for language in languages}

    @property
    def known(self) -> dict[str, Words]:
        """What each command does, by name."""
        commands: dict[str, Words] = {"help": phrases.HELP_HELP}
        commands |= {command.name: command.help for command in self._registry.commands.values()}
        if len(self._languages) > 1:
            commands["language"] = phrases.HELP_LANGUAGE
        if self._speaks:
            commands["voice"] = phrases.HELP_VOICE
        return commands

    async def run(self, turn: Turn, *, owned: bool = False) -> Routed | None:
        """None if the text is not a command, or, while a person has the conversation (`owned`), none that is obeyed then."""
        match = _COMMAND.match(turn.text)
        if match is None:
            return None
        name, arguments = match["name"].lower(), (match["arguments"] or "").strip()
        command = self._registry.commands.get(name)
        if owned and not (command.always if command is not None else name in ("language", "voice")):
            return None
        if command is not None:
            outcome = await self._registry.call(command.handler, turn, given={Arguments: Arguments(arguments)})
            return Routed(outcome, self._registry.plugins[command.handler.plugin])
        if name in ("help", "start"):
            return Routed(Reply(self._help(turn)))
        if name == "language":
            return Routed(Reply(self._language(turn, arguments.lower())))
        if name == "voice" and self._speaks:
            aloud = arguments.lower() not in OFF
            turn.change(aloud=aloud)
            return Routed(Reply(phrases.VOICE_ON if aloud else phrases.VOICE_OFF))
        unknown = turn.say(phrases.UNKNOWN_COMMAND).format(command=f"`{self._prefix(turn.channel)}{name}`")
        return Routed(Reply(f"{unknown}\n\n{self._help(turn)}"))

    def _help(self, turn: Turn) -> str:
        lines: list[str] = []
        if offered := [intent for intent in self._registry.intents.values() if intent.offered]:
            lines.append(turn.say(phrases.HELP_INTRO))
            lines += [f"- {turn.say(intent.description)}" for intent in offered[:MAX_INTENTS_IN_HELP]]
            lines.append("")
        lines.append(turn.say(phrases.HELP_COMMANDS))
        prefix = self._prefix(turn.channel)
        lines += [f"- `{prefix}{name}` {turn.say(help)}" for name, help in self.known.items()]
        return "\n".join(lines)

    def _language(self, turn: Turn, wanted: str) -> str:
        if wanted in self._languages:
            turn.change(language=self._languages[wanted], language_chosen=True)
            return turn.say(phrases.LANGUAGE_SET)
        example = next((language for language in self._languages.values() if language != turn.language), turn.language)
        return turn.say(phrases.LANGUAGE_UNKNOWN).format(
            languages=", ".join(self._languages.values()), command=f"{self._prefix(turn.channel)}language", example=example
        )
