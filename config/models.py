"""Makes the configured models. Nothing of a model's packages is imported before it is used."""

from pathlib import Path

from frontdesk.core.hearing import ListeningLimits
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import ChatModel, Embedder, Models, Speaker, Transcriber
from frontdesk.plugins.models.minilm import MiniLM
from frontdesk.plugins.models.settings import ChatSettings, EmbeddingsSettings, ModelsSettings, SpeechSettings, VoiceSettings


def configured_models(settings: ModelsSettings, *, data_folder: Path, metrics: Metrics) -> Models:
    """Raises `MissingExtra` where a model needs a package that is not installed."""
    return Models(
        embedder=embedder(settings.embeddings, data_folder, metrics),
        chat=chat_model(settings.chat, data_folder, metrics) if settings.chat else None,
        transcriber=transcriber(settings.speech, data_folder, metrics) if settings.speech else None,
        speaker=speaker(settings.voice, data_folder, metrics) if settings.voice else None,
    )


def listening_limits(settings: ModelsSettings) -> ListeningLimits:
    if settings.speech is None:
        return ListeningLimits()
    return ListeningLimits(seconds=settings.speech.seconds, ask_below=settings.speech.ask_below)


def chat_model(settings: ChatSettings, data_folder: Path, metrics: Metrics, section: str = "models.chat") -> ChatModel:
    """The model, behind it its fallback. `section` is where its settings are, for messages that name them."""
    model: ChatModel
    if settings.provider == "local":
        from frontdesk.plugins.models.local import LocalChat

        model = LocalChat(settings, metrics=metrics)
    else:
        from frontdesk.plugins.models.remote import RemoteChat

        model = RemoteChat(settings, folder=data_folder, metrics=metrics, section=section)
    if settings.fallback is None:
        return model
    from frontdesk.plugins.models.fallback import Fallback

    return Fallback(model, chat_model(settings.fallback, data_folder, metrics, f"{section}.fallback"))


def embedder(settings: EmbeddingsSettings, data_folder: Path, metrics: Metrics) -> Embedder:
    if settings.provider == "minilm":
        return MiniLM()
    from frontdesk.plugins.models.remote import RemoteEmbedder

    return RemoteEmbedder(settings, folder=data_folder, metrics=metrics)


def transcriber(settings: SpeechSettings, data_folder: Path, metrics: Metrics) -> Transcriber:
    if settings.provider == "whisper":
        from frontdesk.plugins.models.whisper import WhisperTranscriber

        return WhisperTranscriber(settings, metrics=metrics)
    from frontdesk.plugins.models.remote import RemoteTranscriber

    return RemoteTranscriber(settings, folder=data_folder, metrics=metrics)


def speaker(settings: VoiceSettings, data_folder: Path, metrics: Metrics) -> Speaker:
    if settings.provider in ("espeak", "piper"):
        from frontdesk.plugins.models.speaking import CommandSpeaker

        return CommandSpeaker(settings, metrics=metrics)
    from frontdesk.plugins.models.remote import RemoteSpeaker

    return RemoteSpeaker(settings, folder=data_folder, metrics=metrics)
