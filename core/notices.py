"""What the bot says in a conversation without being asked there."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import TransientError, Unavailable
from frontdesk.core.events import Events
from frontdesk.core.handoff import act
from frontdesk.core.messages import Body, Outgoing, storable
from frontdesk.core.store import Store


class Notices:
    """Injected into plugins. A notice changes nothing about who has the conversation."""

    def __init__(self, store: Store, events: Events) -> None:
        self._store = store
        self._events = events

    async def say(self, conversation: str, words: Callable[[str], str], *, id: str, plugin: str) -> None:
        """Sends `words`, which are asked for in the conversation's language, as Markdown. `id` makes a repetition harmless.

        Raises `KeyError` for an unknown conversation, and `TransientError` while the store cannot write.
        """

        def decide(state: Conversation) -> tuple[Conversation, Sequence[Body]]:
            notice = Outgoing(
                id=f"{state.id}/notice/{id}",
                channel=state.channel,
                conversation=state.id,
                contact=state.contact,
                text=words(state.language),
                at=datetime.now(UTC),
                language=state.language,
                plugin=plugin,
            )
            return state, [storable(notice)]

        try:
            await act(self._store, self._events, conversation, decide)
        except Unavailable as error:
            raise TransientError(str(error), error.retry_after) from error
