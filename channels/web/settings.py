"""What an operator can set for the web chat."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from yarl import URL

UPLOAD_TYPES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "audio/mp4",
    "audio/aac",
    "audio/flac",
    "audio/amr",
    "audio/3gpp",
)


class WebSettings(BaseModel):
    """Lengths count characters, sizes bytes, times seconds unless the name says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str | dict[str, str] = Field(
        default={"en": "Customer service", "zh": "在线客服"}, description="The heading of /chat, once or for each language."
    )
    color: str = Field("#1f6f5c", pattern=r"^#[0-9a-fA-F]{6}$", description="The accent colour of the page /chat.")
    suggestions: dict[str, tuple[str, ...]] = Field(
        default={
            "en": ("Where is my order?", "How do I return something?", "I would like to talk to a person"),
            "zh": ("我的订单到哪里了？", "如何退货？", "我想找人工客服"),
        },
        description="First questions offered in an empty chat, for each language.",
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="Other sites that may embed the widget, such as https://shop.example; * allows every site."
    )
    secret: SecretStr | None = Field(
        None, description="Signs the sessions. Without one, a key is generated and kept in the data folder."
    )
    session_days: int = Field(30, ge=1, le=3650)
    max_text: int = Field(4000, ge=1, le=100_000)
    max_upload: int = Field(10 * 1024 * 1024, ge=0, description="0 refuses all files.")
    upload_types: tuple[str, ...] = UPLOAD_TYPES
    messages_per_minute: int = Field(30, ge=1, description="For each session; uploads count as messages.")
    sockets_per_session: int = Field(8, ge=1, description="Tabs of one customer that are served at the same time.")
    heartbeat: float = Field(30, gt=0, description="Seconds between the pings that find dead connections.")

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < 32:
            raise ValueError("a secret needs at least 32 characters: python -c 'import secrets; print(secrets.token_hex())'")
        return secret

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin if origin in {"*", "null"} else _origin(origin) for origin in origins)


def _origin(text: str) -> str:
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.host or url.path not in {"", "/"}:
        raise ValueError(f"{text!r} is not an origin; write it as https://shop.example, without a path")
    return str(url.origin())
