"""What an operator can set for Slack."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails
from yarl import URL

from frontdesk.channels.slack.agents_settings import AgentsSettings

API_URL = "https://slack.com/api/"
SECTION = "FRONTDESK_CHANNELS__SLACK__"

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "metadata.message:read",
    "mpim:history",
    "reactions:read",
    "reactions:write",
    "users:read",
    "users:read.email",
)
"""What the manifest asks for. The `OPTIONAL` ones make the bot nicer, are for agents in Slack only (`channels:read`,
`groups:read`), or find a message whose fate is not known (`metadata.message:read`)."""
OPTIONAL = frozenset(
    {"assistant:write", "channels:read", "groups:read", "metadata.message:read", "reactions:write", "users:read.email"}
)


class SlackSettings(BaseModel):
    """Either the token of one workspace (`bot_token`), or the means to be installed into many (`client_id`, `client_secret`).

    With an `app_token` Slack is connected to by Socket Mode, which needs no public address; without, Slack sends to
    /slack/events, /slack/interactions and /slack/commands, signed with the `signing_secret`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    bot_token: SecretStr | None = Field(
        None,
        description="xoxb-...: at api.slack.com/apps, OAuth & Permissions, after the app was installed; or give client_id and "
        "client_secret, to let many workspaces install it",
    )
    signing_secret: SecretStr | None = Field(
        None,
        description="proves that Slack sends: at api.slack.com/apps, Basic Information, App Credentials; or give app_token, for "
        "Socket Mode",
    )
    app_token: SecretStr | None = Field(
        None, description="xapp-...: Basic Information, App-Level Tokens, scope connections:write. Turns Socket Mode on."
    )
    connections: int = Field(1, ge=1, le=10, description="Socket Mode connections that are kept open at the same time.")
    client_id: str | None = Field(None, description="Basic Information. For an app that many workspaces install.")
    client_secret: SecretStr | None = Field(None, description="Basic Information. For an app that many workspaces install.")
    api_url: str = Field(API_URL, description="https://slack-gov.com/api/ for GovSlack.")
    command: str = Field("/frontdesk", pattern=r"^/[^\s/]{1,31}$", description="The slash command, as in the app's manifest.")
    messages_per_second: float = Field(1.0, gt=0, description="To one channel, as Slack asks for.")
    burst: int = Field(5, ge=1, description="So many messages to one channel may go out at once.")
    workspace_messages_per_minute: float = Field(300, gt=0, description="To all channels of a workspace together.")
    working_reaction: str = Field(
        "eyes",
        pattern=r"^[a-z0-9_+'-]{0,100}$",
        description="Put on a message while it is worked on, where Slack shows no status. Empty for none.",
    )
    agents: AgentsSettings | None = Field(None, description="Lets agents answer from a Slack channel.")

    @field_validator("api_url")
    @classmethod
    def _address(cls, address: str) -> str:
        url = URL(address)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError(f"{address!r} is no address; write it as {API_URL}")
        return address.rstrip("/") + "/"

    @field_validator("bot_token")
    @classmethod
    def _bot_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not token.get_secret_value().startswith(("xoxb-", "xoxe.xoxb-")):
            raise ValueError("this is no token of a bot, which begins with xoxb-: copy it from OAuth & Permissions")
        return token

    @field_validator("app_token")
    @classmethod
    def _app_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not token.get_secret_value().startswith("xapp-"):
            raise ValueError("this is no app-level token, which begins with xapp-: make one under Basic Information")
        return token

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing: list[tuple[str, ...]] = []
        if self.bot_token is None and self.client_id is None and self.client_secret is None:
            missing.append(("bot_token",))
        elif self.bot_token is None:
            missing += [(name,) for name in ("client_id", "client_secret") if getattr(self, name) is None]
        if self.app_token is None and self.signing_secret is None:
            missing.append(("signing_secret",))
        if self.many_workspaces and self.client_id and self.agents is not None and self.agents.account is None:
            missing.append(("agents", "account"))
        if missing:
            problems: list[InitErrorDetails] = [{"type": "missing", "loc": location, "input": None} for location in missing]
            raise ValidationError.from_exception_data("slack", problems, hide_input=True)
        return self

    @property
    def socket_mode(self) -> bool:
        return self.app_token is not None

    @property
    def many_workspaces(self) -> bool:
        return self.bot_token is None
