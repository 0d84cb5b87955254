"""What an operator can set for Telegram."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from yarl import URL

WEBHOOK_PATH = "/telegram/webhook"
API_URL = "https://api.telegram.org"
MAX_DOWNLOAD = 20 * 1024 * 1024
"""What the Bot API lets bots download."""


class TelegramSettings(BaseModel):
    """Sizes count bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr = Field(description="The bot's token, from @BotFather.")
    mode: Literal["polling", "webhook"] = Field(
        "polling", description="polling needs no public address; webhook needs one that Telegram reaches by https."
    )
    webhook_url: str | None = Field(
        None, description=f"Where Telegram sends updates in webhook mode; by default the public address and {WEBHOOK_PATH}."
    )
    secret: SecretStr | None = Field(
        None, description="Proves that a webhook comes from Telegram. Without one, it is made from the token."
    )
    api_url: str = Field(API_URL, description="A Bot API server of your own, such as http://127.0.0.1:8081.")
    groups: bool = Field(True, description="Answer in groups, where the bot is mentioned or replied to.")
    commands: dict[str, dict[str, str]] | None = Field(
        None,
        description=(
            "The menu of commands: for each language (two letters, or empty for all others) the commands and what they do. "
            "An empty mapping leaves the menu as it is."
        ),
    )
    messages_per_second: float = Field(30, gt=0, description="To all chats together.")
    chat_messages_per_second: float = Field(1, gt=0, description="To one private chat; a few may come at once.")
    group_messages_per_minute: float = Field(20, gt=0, description="To one group.")
    max_download: int = Field(MAX_DOWNLOAD, ge=0, le=MAX_DOWNLOAD, description="The largest file that is taken from a customer.")

    @field_validator("token")
    @classmethod
    def _complete(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_-]{3,}", token.get_secret_value()):
            raise ValueError(
                "this is no token of a bot: @BotFather gives one such as 123456789:AAE-x7... with the command /token"
            )
        return token

    @field_validator("secret")
    @classmethod
    def _allowed(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret.get_secret_value()):
            raise ValueError("Telegram takes 1 to 256 of the characters A-Z, a-z, 0-9, _ and - in a secret")
        return secret

    @field_validator("api_url")
    @classmethod
    def _address(cls, address: str) -> str:
        return _http(address).rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _webhook_address(cls, address: str | None) -> str | None:
        return address and _http(address)

    @property
    def account(self) -> str:
        """The bot's own user id, which is public."""
        return self.token.get_secret_value().partition(":")[0]


def _http(address: str) -> str:
    url = URL(address)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"{address!r} is no address; write it as https://shop.example/path")
    return address
