"""Settings of the desk."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class DeskSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    database: Path | None = Field(
        None, description="SQLite file with the agents' accounts and sessions; by default desk.sqlite in the data folder"
    )
    language: str = Field("en", description="language of the desk's own words")
    idle_minutes: float = Field(120, gt=0, description="a session ends after so long without an act of the agent")
    session_hours: float = Field(12, gt=0, description="a session ends so long after the log-in, whatever happens")
    link_hours: float = Field(48, gt=0, description="how long an invitation link can be used")
    proxies: int = Field(0, ge=0, description="number of trusted proxies in front that append to X-Forwarded-For")
    max_upload: int = Field(20 * 1024 * 1024, gt=0, description="largest file an agent can send, in bytes")
