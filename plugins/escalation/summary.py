"""The context of a hand-over, for agents: what is known, in the customer's own words. Nothing in it is guessed."""

from frontdesk.core.conversations import Form
from frontdesk.core.markdown import plain, tokens
from frontdesk.core.turn import Turn, recent_words

LAST_WORDS = 8
ENTRIES_READ = 40
MOST_CHARACTERS = 160
"""A longer line is cut, since the whole conversation stands beside the summary."""


async def summarise(turn: Turn, form: Form | None) -> str:
    """Plain text, because it quotes what anybody may have written. `form` is what the customer was doing."""
    lines = [f"Customer: {_customer(turn)}"]
    if form is not None:
        lines.append(f"Last request: {form.intent.replace('_', ' ')} ({form.plugin})")
        lines += [f"- {name.replace('_', ' ')}: {_cut(filled.text)}" for name, filled in form.slots.items()]
    if turn.state.question is not None:
        lines.append(f"Open question: {_cut(turn.state.question.text)}")
    said = recent_words(await turn.history(ENTRIES_READ), LAST_WORDS)
    if said:
        lines.append("Last words:")
        lines += [f"- {_speaker(author)}: {_cut(text if author == 'contact' else _plain(text))}" for author, text in said]
    return "\n".join(lines)


def _customer(turn: Turn) -> str:
    contact = turn.contact
    known = [contact.name, contact.email, contact.phone]
    parts = [part for part in known if part] or [contact.id]
    verified = ["verified by the channel"] if contact.verified else []
    return ", ".join([*parts, *verified, f"on {turn.channel}", f"language {turn.language}"])


def _speaker(author: str) -> str:
    return {"contact": "Customer", "bot": "Bot"}.get(author, author.removeprefix("agent:"))


def _plain(text: str) -> str:
    return " ".join(plain(token.content) if token.children else token.content for token in tokens(text))


def _cut(text: str) -> str:
    flat = " ".join(text.replace("**", "").split())
    return flat if len(flat) <= MOST_CHARACTERS else f"{flat[: MOST_CHARACTERS - 1]}…"
