"""The feedback plugin: one question after a resolution, and none for a while after that."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import Ask, Outcome, Pass, Reply
from frontdesk.core.plugin import DataFolder, Plugin
from frontdesk.core.text import Text
from frontdesk.core.turn import Answer, Arguments, Turn
from frontdesk.plugins.feedback.database import Rating, Ratings


class FeedbackSettings(BaseModel, extra="forbid"):
    """`database` is relative to the data folder. A conversation is asked at most once in `again_after_hours`."""

    database: Path = Path("feedback.sqlite3")
    again_after_hours: float = Field(24, ge=0)


plugin = Plugin("feedback", description="Asks for a rating after a resolution", settings=FeedbackSettings)

HOW_WAS_IT = Text(
    en="How was it? Your rating helps us.",
    zh="请您对本次服务做个评价：",
    de="Wie war es? Ihre Bewertung hilft uns.",
    fr="Comment était-ce ? Votre avis nous aide.",
    es="¿Qué tal ha ido? Su valoración nos ayuda.",
)
LABELS = (
    Text(en="1 – bad", zh="1 – 很差", de="1 – schlecht", fr="1 – mauvais", es="1 – malo"),
    Text(en="2 – poor", zh="2 – 较差", de="2 – mäßig", fr="2 – médiocre", es="2 – flojo"),
    Text(en="3 – okay", zh="3 – 一般", de="3 – geht so", fr="3 – moyen", es="3 – regular"),
    Text(en="4 – good", zh="4 – 满意", de="4 – gut", fr="4 – bien", es="4 – bueno"),
    Text(en="5 – very good", zh="5 – 非常满意", de="5 – sehr gut", fr="5 – très bien", es="5 – muy bueno"),
)
THANKS = Text(
    en="Thank you for your feedback!",
    zh="感谢您的反馈！",
    de="Danke für Ihre Rückmeldung!",
    fr="Merci pour votre avis !",
    es="¡Gracias por su opinión!",
)
ADD_COMMENT = Text(
    en="Add a comment",
    zh="补充评论",
    de="Etwas dazu sagen",
    fr="Ajouter un commentaire",
    es="Añadir un comentario",
)
YOUR_WORDS = Text(
    en="What would you like to tell us?",
    zh="请写下您的意见：",
    de="Was möchten Sie uns sagen?",
    fr="Que souhaitez-vous nous dire ?",
    es="¿Qué le gustaría decirnos?",
)
COMMENT_HELP = Text(
    en="tell us how it was", zh="评价本次服务", de="sagen, wie es war", fr="donner votre avis", es="decirnos qué tal ha ido"
)
NO_RATING = Text(
    en="There is nothing to comment on yet. I'll ask you for a rating when we are done.",
    zh="目前还没有可以评价的服务。结束后我会请您评价。",
    de="Noch gibt es nichts zu bewerten. Ich frage Sie, wenn wir fertig sind.",
    fr="Il n'y a encore rien à commenter. Je vous demanderai votre avis à la fin.",
    es="Todavía no hay nada que comentar. Le preguntaré cuando hayamos terminado.",
)
_RATING = re.compile(
    r"\s*(?P<rating>[1-5])\s*(?:/\s*5|out of 5|stars?|points?|sterne|étoiles|estrellas|分|星)?\s*"
    r"(?:[,.;:!，。；：！–-]\s*(?P<comment>\S.*)?)?\Z",
    re.IGNORECASE | re.DOTALL,
)


@plugin.provide
async def open_ratings(settings: FeedbackSettings, folder: DataFolder) -> AsyncIterator[Ratings]:
    ratings = await Ratings.open(folder / settings.database)
    yield ratings
    await ratings.close()


@plugin.resolved
async def ask(turn: Turn, settings: FeedbackSettings) -> Outcome:
    asked = turn.memory.get("asked")
    if asked and turn.now - datetime.fromisoformat(asked) < timedelta(hours=settings.again_after_hours):
        return Pass()
    turn.memory["asked"] = turn.now.isoformat()
    choices = [Choice(turn.say(label), str(number)) for number, label in enumerate(LABELS, start=1)]
    return Ask(HOW_WAS_IT, then=rate, args={"resolution": turn.id}, choices=choices, free=True)


@plugin.step
async def rate(turn: Turn, answer: Answer, resolution: str, ratings: Ratings) -> Outcome:
    """Whatever is no rating belongs to the other plugins; the question is not repeated."""
    rated = _RATING.match(answer)
    if rated is None:
        return Pass()
    turn.memory["rated"] = resolution
    await ratings.keep(
        Rating(
            id=resolution,
            conversation=turn.conversation,
            rating=int(rated["rating"]),
            comment=rated["comment"],
            language=turn.language,
            at=turn.now,
        )
    )
    return Reply(THANKS, choices=[] if rated["comment"] else [Choice(turn.say(ADD_COMMENT), "/comment")])


@plugin.command("comment", help=COMMENT_HELP)
async def comment(turn: Turn, words: Arguments, ratings: Ratings) -> Outcome:
    """A command, so that no question stays open: what customers write after a rating is mostly their next wish."""
    resolution = turn.memory.get("rated")
    if resolution is None:
        return Reply(NO_RATING)
    if not words:
        return Ask(YOUR_WORDS, then=keep_comment, args={"resolution": resolution})
    await ratings.comment(resolution, str(words))
    return Reply(THANKS)


@plugin.step
async def keep_comment(turn: Turn, answer: Answer, resolution: str, ratings: Ratings) -> Outcome:
    await ratings.comment(resolution, str(answer))
    return Reply(THANKS)
