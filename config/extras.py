"""Which extra of the package brings an optional package."""

from frontdesk.core.errors import MissingExtra

EXTRAS = {
    "aio_pika": "scale",
    "aioimaplib": "email",
    "aiosmtplib": "email",
    "asyncpg": "scale",
    "av": "voice",
    "chardet": "email",
    "idna": "email",
    "jsonschema": "remote-models",
    "matplotlib": "reports",
    "openai": "remote-models",
    "peft": "local-models",
    "slack_bolt": "slack",
    "slack_sdk": "slack",
    "telegram": "telegram",
    "torch": "local-models",
    "torchao": "quantization",
    "transformers": "local-models",
    "watchfiles": "dev",
    "whisper": "voice",
}


def missing_extra(what: str, error: ImportError) -> MissingExtra | None:
    """The error that names the extra; None if the missing package belongs to none."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    return MissingExtra(what, extra) if extra else None
