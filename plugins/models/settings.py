"""Settings of the models: which one answers, listens and speaks. Light to import: no model package is needed here."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo

Remote = Literal["openai", "azure", "gemini", "vertex", "vllm", "ollama", "llama.cpp", "transformers", "compatible"]
"""Services that speak OpenAI's protocol, each in its own dialect; `compatible` is any other."""


def _named(model: str, info: ValidationInfo) -> str:
    if not model and (provider := info.data.get("provider")) not in (None, "espeak", "minilm"):
        raise ValueError(f"name the model for {provider}")
    return model


Named = Annotated[str, AfterValidator(_named)]
"""Behind `provider`: empty only where that has one model."""


class ModelSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class RemoteOptions(ModelSection):
    """What it takes to reach a service. Prices are for a million tokens, in any one currency."""

    api_key: SecretStr | None = Field(default=None, description="the service's key; local servers mostly need none")
    base_url: str | None = Field(default=None, description="address of the service, where the provider's own is not meant")
    api_version: str | None = Field(default=None, description="azure: version of its interface")
    timeout: float = Field(default=60.0, gt=0, description="seconds for one call")
    retries: int = Field(default=2, ge=0, le=10, description="how often a call that failed is made again")
    concurrent: int = Field(default=32, ge=1, description="calls at a time; others wait in line")
    input_price: float = Field(default=0.0, ge=0, description="price of a million tokens read")
    output_price: float = Field(default=0.0, ge=0, description="price of a million tokens written")
    daily_budget: float | None = Field(
        default=None, gt=0, description="what may be spent in a day, in the currency of the prices"
    )


class LocalOptions(ModelSection):
    """How a model is loaded into a process of its own."""

    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1 or mps")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(default="auto", description="number format of the weights")
    quantization: Literal["none", "int8", "int4", "bnb-8bit", "bnb-4bit"] = Field(
        default="none", description="smaller weights: int8 and int4 need torchao, bnb-8bit and bnb-4bit need bitsandbytes"
    )
    adapter: str | None = Field(default=None, description="a LoRA adapter: a folder, or a name on the hub")
    revision: str | None = Field(default=None, description="branch, tag or commit on the hub")
    offline: bool = Field(default=False, description="use what is on disk only; never ask the hub")
    threads: int | None = Field(default=None, ge=1, description="CPU threads; all cores if nothing is given")
    context: int | None = Field(
        default=None, ge=64, description="tokens of prompt and answer together; the model's own if nothing is given"
    )
    cache_tokens: int = Field(default=16384, ge=256, description="tokens of all running conversations that are kept in memory")
    concurrent: int = Field(default=32, ge=1, description="calls at a time; others wait in line")
    load_seconds: float = Field(default=600.0, gt=0, description="time limit of loading, downloads not counted in")


class ChatSettings(RemoteOptions, LocalOptions):
    """A chat model. `fallback` answers while this one does not."""

    provider: Literal["local", Remote] = Field(description="local for transformers in a process of its own, or a service")
    model: str = Field(min_length=1, description="name on the hub, folder, or the service's name for it")
    vision: bool | None = Field(default=None, description="whether it can see pictures; what is known of it if nothing is given")
    fallback: "ChatSettings | None" = Field(default=None, description="a second model, asked while this one does not answer")


class SpeechSettings(RemoteOptions):
    """The model that listens to voice notes."""

    provider: Literal["whisper", Remote] = Field(default="whisper", description="whisper in a process of its own, or a service")
    model: str = Field(default="base", min_length=1, description="whisper: tiny to large-v3, turbo, or a file; else its name")
    device: str = Field(default="auto", description="whisper: auto, cpu or cuda")
    download_folder: Path | None = Field(default=None, description="whisper: folder of models; ~/.cache/whisper by default")
    offline: bool = Field(default=False, description="whisper: use what is on disk only")
    threads: int | None = Field(default=None, ge=1, description="whisper: CPU threads")
    max_minutes: float = Field(default=30.0, gt=0, description="longer recordings are not transcribed")
    seconds: float = Field(default=180.0, gt=0, description="time limit of one note")
    ask_below: float = Field(
        default=0.55, ge=0, le=1, description="below this confidence the bot repeats what it heard and asks whether that is right"
    )


class VoiceSettings(RemoteOptions):
    """The voice that reads replies aloud to customers who speak and want it."""

    provider: Literal["espeak", "piper", Remote] = Field(default="espeak", description="a program on this machine, or a service")
    model: Named = Field(default="", description="piper: the voice's file; else the service's name")
    voice: str = Field(default="", description="name of the voice; one for the language if nothing is given")
    program: str = Field(default="", description="espeak, piper: the program, if it is not on the path")
    max_characters: int = Field(default=600, ge=1, description="longer replies are not read aloud")


class EmbeddingsSettings(RemoteOptions):
    """The model that compares meanings; the one that comes with Frontdesk if nothing is given."""

    provider: Literal["minilm", Remote] = Field(default="minilm", description="minilm comes with Frontdesk; or a service")
    model: Named = Field(default="", description="the service's name for it")
    dimensions: int | None = Field(default=None, ge=1, description="length of the vectors, where the service can choose")


class ModelsSettings(ModelSection):
    chat: ChatSettings | None = Field(default=None, description="answers where articles and intents do not")
    speech: SpeechSettings | None = Field(default=None, description="listens to voice notes")
    voice: VoiceSettings | None = Field(default=None, description="reads replies aloud")
    embeddings: EmbeddingsSettings = Field(default=EmbeddingsSettings(), description="compares meanings")
