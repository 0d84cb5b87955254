"""What an operator can set for agents who answer from Slack."""

from pydantic import BaseModel, ConfigDict, Field


class AgentsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str = Field(
        pattern=r"^[CG][A-Z0-9]{2,}$",
        description="id of the channel in which escalations open a thread: C..., in the channel's details, at the bottom",
    )
    account: str | None = Field(
        None,
        description="id of that channel's workspace (T...; E... for an app of a whole organisation); needed only with several",
    )
