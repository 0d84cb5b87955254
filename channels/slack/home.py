"""What Slack shows around a conversation: the App Home, and the short answers to commands and shortcuts."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from frontdesk.channels.slack.mrkdwn import escaped
from frontdesk.core.text import Text, Words, in_language

PERSON_ACTION = "frontdesk:person"
HOME = "frontdesk:home:"
MAX_COMMANDS = 20
MAX_SECTION = 3000

TITLE = Text(
    en="How can we help?",
    zh="有什么可以帮您？",
    de="Wie können wir helfen?",
    fr="Que pouvons-nous faire ?",
    es="¿En qué ayudamos?",
)
WELCOME = Text(
    en="Write to us under *Messages* above. In a channel, mention {bot}; `{command}` works everywhere.",
    zh="请在上方的“消息”中给我们留言。在频道中请提及 {bot}；`{command}` 在任何地方都可使用。",
    de="Schreiben Sie uns oben unter *Nachrichten*. In einem Channel erwähnen Sie {bot}; `{command}` geht überall.",
    fr="Écrivez-nous ci-dessus dans *Messages*. Dans un canal, mentionnez {bot} ; `{command}` marche partout.",
    es="Escríbanos arriba, en *Mensajes*. En un canal, mencione a {bot}; `{command}` funciona en todas partes.",
)
PERSON = Text(
    en="Talk to a person",
    zh="转人工客服",
    de="Mit einem Menschen sprechen",
    fr="Parler à une personne",
    es="Hablar con una persona",
)
ANSWERED_DIRECTLY = Text(
    en="Thank you. I answer you in our direct messages: {bot}",
    zh="谢谢，我会在私信中回复您：{bot}",
    de="Danke. Ich antworte Ihnen in unseren Direktnachrichten: {bot}",
    fr="Merci. Je vous réponds dans nos messages directs : {bot}",
    es="Gracias. Le respondo en nuestros mensajes directos: {bot}",
)


def view(*, channel: str, bot: str, command: str, commands: Mapping[str, Words], language: str) -> dict[str, Any]:
    """The Home tab. `channel` is the direct message, where a press of the button is taken up.

    Its `callback_id`, which Slack tells when it is opened again, is another one for other contents.
    """
    welcome = WELCOME.fitting(language).format(bot=mention(bot), command=command)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": TITLE.fitting(language)}},
        _section(welcome),
    ]
    if lines := _lines(command, commands, language):
        blocks.append(_section(lines))
    button = {
        "type": "button",
        "action_id": PERSON_ACTION,
        "style": "primary",
        "text": {"type": "plain_text", "text": PERSON.fitting(language)},
        "value": channel,
    }
    blocks.append({"type": "actions", "elements": [button]})
    version = hashlib.sha256(msgspec.json.encode(blocks)).hexdigest()[:16]
    return {"type": "home", "callback_id": f"{HOME}{version}", "private_metadata": channel, "blocks": blocks}


def ephemeral(words: Text, *, bot: str, language: str) -> dict[str, Any]:
    """The answer to a slash command, which only its writer sees."""
    return {"response_type": "ephemeral", "text": words.fitting(language).format(bot=mention(bot))}


def mention(bot: str) -> str:
    return f"<@{bot}>" if bot else ""


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _lines(command: str, commands: Mapping[str, Words], language: str) -> str:
    """Slack takes every word with a slash for a command of its own, so ours stand behind the app's."""
    lines: Sequence[str] = [
        f"`{command} /{name}` {escaped(in_language(help, language))}" for name, help in list(commands.items())[:MAX_COMMANDS]
    ]
    while lines and len("\n".join(lines)) > MAX_SECTION:
        lines = lines[:-1]
    return "\n".join(lines)
