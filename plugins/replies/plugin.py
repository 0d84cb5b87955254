"""Answers what no intent took: by a quotation from the knowledge base, by a chat model where there is one, or not at all."""

import structlog

from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import ModelError
from frontdesk.core.messages import Source
from frontdesk.core.models import ChatModel
from frontdesk.core.outcomes import Pass, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.text import Text, in_language
from frontdesk.core.turn import Turn
from frontdesk.plugins.replies.knowledge import Answer, KnowledgeBase
from frontdesk.plugins.replies.settings import RepliesSettings
from frontdesk.plugins.replies.writing import written

log = structlog.get_logger(__name__)

ONLY_IN = Text(
    en="I have this in {language} only:",
    zh="这部分内容目前只有{language}版本：",
    de="Das habe ich nur auf {language}:",
    fr="Je n'ai cette réponse qu'en {language} :",
    es="Solo tengo esta respuesta en {language}:",
)
LANGUAGES = {
    "en": Text(en="English", zh="英文", de="Englisch", fr="anglais", es="inglés"),
    "zh": Text(en="Chinese", zh="中文", de="Chinesisch", fr="chinois", es="chino"),
    "de": Text(en="German", zh="德文", de="Deutsch", fr="allemand", es="alemán"),
    "fr": Text(en="French", zh="法文", de="Französisch", fr="français", es="francés"),
    "es": Text(en="Spanish", zh="西班牙文", de="Spanisch", fr="espagnol", es="español"),
}

plugin = Plugin("replies", description="Answers from the knowledge base", settings=RepliesSettings)


@plugin.answer
async def answer_from_articles(turn: Turn, knowledge: KnowledgeBase) -> Reply | Pass:
    """Looks in the conversation's language first, then in all others."""
    if not turn.text:
        return Pass()
    language = turn.language.partition("-")[0].lower()
    answer = await knowledge.answer(turn.text, languages={language}) or await knowledge.answer(turn.text)
    return reply(answer, language) if answer else Pass()


@plugin.answer
async def answer_with_model(
    turn: Turn, knowledge: KnowledgeBase, attachments: Attachments, settings: RepliesSettings, model: ChatModel | None
) -> Reply | Pass:
    """Asks the chat model, if there is one; it sees the passages, the conversation and the customer's pictures."""
    if model is None:
        return Pass()
    try:
        answer = await written(
            turn, knowledge, model, attachments, seconds=settings.answer_seconds, tokens=settings.answer_tokens
        )
    except ModelError as error:
        log.warning("the chat model gave no answer", model=model.name, error=f"{type(error).__name__}: {error}")
        return Pass()
    if answer is None:
        return Pass()
    text, sources = answer
    return Reply(text, sources=sources)


def reply(answer: Answer, language: str) -> Reply:
    """The quotation, with its source; a note above it where it is in another language than the customer's."""
    parts = [answer.text]
    if answer.language != language:
        name = in_language(LANGUAGES.get(answer.language, answer.language), language)
        parts.insert(0, f"*{in_language(ONLY_IN, language).format(language=name)}*")
    source = Source(title=answer.title, url=_address(answer), text=answer.passage.text, score=answer.evidence)
    return Reply("\n\n".join(parts), sources=(source,))


def _address(answer: Answer) -> str | None:
    return answer.source if answer.passage.url else None
