"""Models that read pictures beside text (transformers' image-text-to-text classes)."""

import json
import re
from collections.abc import Sequence
from typing import Any

from frontdesk.core.chat import ChatMessage, ChatRequest, Tool
from frontdesk.core.errors import ConfigurationError, PromptRejected
from frontdesk.plugins.models.local.calls import described
from frontdesk.plugins.models.local.causal import CausalEngine
from frontdesk.plugins.models.local.engine import Prompt
from frontdesk.plugins.models.local.pictures import decode
from frontdesk.plugins.models.local.prompt import as_template_takes_it, in_turn, tools_in_words

MAX_PICTURES = 16
"""Of one request; each costs some hundred tokens at least."""


class VisionEngine(CausalEngine):
    """Conversations without pictures share batches; those with pictures run one after the other, beside them."""


class VisionPrompter:
    """A `Prompter`: messages by the processor's chat template, pictures as the processor cuts them up."""

    tools = True

    def __init__(self, processor: Any) -> None:
        """Raises `ConfigurationError` for a checkpoint without a chat template."""
        template = getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)
        if not template:
            raise ConfigurationError("models.chat.model can see, but has no chat template: choose one that was made for chats")
        self._processor = processor
        self._knows_tools = re.search(r"\btools\b", template if isinstance(template, str) else json.dumps(template)) is not None

    def encode(self, request: ChatRequest) -> tuple[Prompt, str]:
        """Raises `PromptRejected` for pictures that are broken, too large or too many."""
        from jinja2 import TemplateError

        if sum(len(message.pictures) for message in request.messages) > MAX_PICTURES:
            raise PromptRejected(f"there are more than {MAX_PICTURES} pictures")
        images = {id(picture): decode(picture) for message in request.messages for picture in message.pictures}
        tools = request.tools if request.tool_choice != "none" else ()
        told = tools_in_words(request.messages, tools)
        attempts: list[tuple[Sequence[ChatMessage], Sequence[Tool]]] = [(told, ()), (in_turn(told), ())]
        if self._knows_tools or not tools:
            attempts.insert(0, (request.messages, tools))
        problem: Exception | None = None
        for messages, offered in attempts:
            try:
                return self._rendered(messages, offered, images)
            # Image processors raise ValueError for shapes that the model has no tokens for, a line of one pixel for example.
            except (TemplateError, TypeError, KeyError, ValueError) as error:
                problem = error
        raise PromptRejected(f"the model takes no such messages or pictures ({type(problem).__name__})")

    def _rendered(self, messages: Sequence[ChatMessage], tools: Sequence[Tool], images: dict[int, Any]) -> tuple[Prompt, str]:
        entries = []
        for message in messages:
            entry = as_template_takes_it(message)
            shown = [{"type": "image", "image": images[id(picture)]} for picture in message.pictures]
            entry["content"] = [*shown, {"type": "text", "text": message.text}]
            entries.append(entry)
        found = self._processor.apply_chat_template(
            entries,
            tools=[described(tool) for tool in tools] or None,
            add_generation_prompt=True,
            sanitize_control_tokens=True,
            enable_thinking=False,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        ids = found.pop("input_ids")[0].tolist()
        # There is one row, and nothing is padded.
        found.pop("attention_mask", None)
        return Prompt(ids=tuple(ids), tensors=dict(found) if images else {}), self._processor.tokenizer.decode(ids[-64:])
