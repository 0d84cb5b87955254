"""`frontdesk ask --model`: a model itself is asked, without the bot around it."""

import asyncio
import json
import os
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, get_args

import typer

from frontdesk.core.errors import ConfigurationError

if TYPE_CHECKING:
    from frontdesk.core.chat import ChatResult
    from frontdesk.core.models import ChatModel
    from frontdesk.plugins.models.settings import ChatSettings, ModelsSettings

SECONDS = 3600.0
"""The one who asks can end it by Ctrl-C; large models on a CPU take minutes."""
USUAL_KEYS = {"openai": "OPENAI_API_KEY", "azure": "AZURE_OPENAI_API_KEY", "gemini": "GEMINI_API_KEY"}
"""The variables in which people have their keys anyway. They count only where a command names the model itself."""


def chosen(text: str, settings: "ModelsSettings", *, setting: str = "--model") -> "ChatSettings":
    """The chat model that `google/flan-t5-small`, `openai:gpt-5-mini` or `ollama:llama3.2:3b` names.

    What is configured for its provider, keys and addresses above all, is taken over. Raises `ConfigurationError`.
    """
    from pydantic import ValidationError

    from frontdesk.config.inventory import configured
    from frontdesk.plugins.models.settings import ChatSettings, Remote

    provider, colon, model = text.strip().partition(":")
    providers = ("local", *get_args(Remote))
    if not colon or (provider not in providers and (_is_drive(provider) or Path(text.strip()).exists())):
        provider, model = "local", text.strip()
    if provider not in providers:
        raise ConfigurationError(f"{setting} = {text!r}: there is no provider {provider!r}; known are {', '.join(providers)}")
    if not model:
        raise ConfigurationError(f"{setting} = {text!r}: name a model, such as google/flan-t5-small or openai:gpt-5-mini")
    known = [one.section for one in configured(settings) if isinstance(one.section, ChatSettings)]
    for section in known:
        if (section.provider, section.model) == (provider, model):
            return section.model_copy(update={"fallback": None})
    for section in known:
        if section.provider == provider:
            own = dict.fromkeys(("fallback", "adapter", "revision", "vision", "context"))
            return section.model_copy(update={**own, "model": model})
    variable = USUAL_KEYS.get(provider, "")
    key = os.environ.get(variable) or None
    if variable and key is None:
        raise ConfigurationError(f"{setting} = {text!r} needs a key: set {variable}, or configure models.chat for {provider}")
    try:
        return ChatSettings.model_validate({"provider": provider, "model": model, "api_key": key})
    except ValidationError as error:
        raise ConfigurationError(f"{setting} = {text!r}: {error.errors()[0]['msg']}") from None


def _is_drive(name: str) -> bool:
    return len(name) == 1


def ask_model(text: str, model: str, *, config: Path | None, as_json: bool) -> None:
    """Prints the answer as it is made."""
    from frontdesk.config.cli.loading import quiet
    from frontdesk.config.loader import load
    from frontdesk.config.models import chat_model
    from frontdesk.core.metrics import Metrics

    quiet()
    settings = load(config, core_only=True).settings
    wanted = chosen(model, settings.models)
    asked = chat_model(wanted, settings.data_folder, Metrics())
    try:
        asyncio.run(_ask(asked, text, as_json=as_json))
    except KeyboardInterrupt:
        typer.echo()
        raise typer.Exit(130) from None


async def _ask(model: "ChatModel", text: str, *, as_json: bool) -> None:
    from contextlib import aclosing

    from frontdesk.config.cli.loading import bar, loaded
    from frontdesk.core.chat import ChatRequest

    begun = monotonic()
    try:
        with bar() as tell:
            await loaded(model, tell)
        ready = monotonic()
        result: ChatResult | None = None
        async with aclosing(model.stream(ChatRequest.of(text, seconds=SECONDS))) as pieces:
            async for piece in pieces:
                if piece.result is not None:
                    result = piece.result
                elif not as_json:
                    sys.stdout.write(_printable(piece.text))
                    sys.stdout.flush()
    finally:
        await model.stop()
    assert result is not None
    if as_json:
        usage = {"prompt": result.usage.prompt, "completion": result.usage.completion, "cost": result.usage.cost}
        seconds = {"loading": round(ready - begun, 2), "answering": round(monotonic() - ready, 2)}
        answer = {"model": result.model, "text": result.text, "finish": result.finish, "usage": usage, "seconds": seconds}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo()
    if result.finish == "length":
        typer.echo("(the model went on; this is where its answer was cut)", err=True)


def _printable(text: str) -> str:
    """Without what moves the cursor of a terminal or sets its colours."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
