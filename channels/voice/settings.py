"""What an operator can set for the voice end point."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

KEY_LENGTH = 16


class VoiceChannelSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[SecretStr, ...] = Field(
        min_length=1, description="who may send recordings: a secret for each program that does, 16 characters or more"
    )
    max_upload: int = Field(default=20 * 1024 * 1024, ge=1024, description="bytes of the largest recording")
    wait_seconds: float = Field(default=60.0, gt=0, le=600, description="how long a request waits for the reply")

    @field_validator("keys")
    @classmethod
    def _are_secret(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < KEY_LENGTH for key in keys):
            raise ValueError(f"make keys of {KEY_LENGTH} characters or more, for example with: openssl rand -hex 16")
        return keys
