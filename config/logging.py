"""Structured logs on stderr: one line per event, in JSON or for people, also for the libraries that use `logging`.

What customers and agents write never reaches a line unless `logging.message_text` asks for it: keys that hold words are
dropped, secrets are masked, and of an exception only its place and type are told, since its words may quote a message.
"""

import logging
import sys
import traceback

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from frontdesk.config.problems import masked
from frontdesk.config.settings import LoggingOptions
from frontdesk.core.errors import FrontdeskError

WORDS = frozenset({"text", "body", "message_text", "raw", "transcript", "parts", "label", "summary"})
"""Keys whose values are, or hold, what somebody wrote."""
CHATTY = ("markdown_it", "bm25s", "asyncio", "aiosqlite")
"""Libraries whose debug lines would bury ours."""


def configure(options: LoggingOptions) -> None:
    """Replaces all handlers of the root logger."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not options.message_text:
        shared += [_without_words, _place_of_exception]
    shared.append(_masked)
    as_json = options.format == "json" or (options.format == "auto" and not sys.stderr.isatty())
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    level = options.level.upper()
    handler.setLevel(level)  # some libraries set the level of their own loggers
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.INFO, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _without_words(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if key not in WORDS}


def _masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: masked(key, value) for key, value in event.items()}


def _place_of_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Puts the traceback without the exceptions' words in the place of the exception."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = "".join(_wordless(traceback.TracebackException.from_exception(error), error)).rstrip()
    return event


def _wordless(described: traceback.TracebackException, error: BaseException) -> list[str]:
    before: list[str] = []
    if described.__cause__ is not None and error.__cause__ is not None:
        before = [*_wordless(described.__cause__, error.__cause__), "\nwhich caused:\n\n"]
    elif described.__context__ is not None and error.__context__ is not None and not error.__suppress_context__:
        before = [*_wordless(described.__context__, error.__context__), "\nand while that was handled:\n\n"]
    words = f": {error}" if isinstance(error, FrontdeskError) else ""
    return [*before, "Traceback (most recent call last):\n", *described.stack.format(), f"{type(error).__name__}{words}\n"]
