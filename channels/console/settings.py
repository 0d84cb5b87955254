"""Settings of the console."""

from pydantic import BaseModel, ConfigDict, Field


class ConsoleSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    customer: str = Field(default="You", min_length=1, description="what the one who types is called in the transcript")
    bot: str = Field(default="Bot", min_length=1, description="what the bot is called in the transcript")
    as_json: bool = Field(default=False, description="print one JSON object for each entry instead of a transcript")
