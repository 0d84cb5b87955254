"""What a service's errors mean for whoever asked, in words that are safe to log: never a key, a prompt or an answer."""

import email.utils
import re
import time
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from frontdesk.core.errors import ModelError, ModelFailed, ModelUnavailable, PromptRejected

TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window)|maximum context|too many (?:input )?tokens"
    r"|(?:prompt|input|request)[^.]{0,40} too (?:long|large)"
    r"|exceeds? the (?:maximum|available|model)[^.]{0,40}(?:token|context)|token count[^.]{0,40}exceeds"
    r"|string_above_max_length|reduce the length",
    re.IGNORECASE,
)
BAD_KEY = re.compile(r"API_KEY_INVALID|api key not valid|invalid[_ ]api[_ ]key|incorrect api key", re.IGNORECASE)
NO_QUOTA = re.compile(r"insufficient_quota|billing_(?:hard_limit|not_active)|credit balance", re.IGNORECASE)
FILTERED = re.compile(r"content_filter|content_policy|responsibleai|safety", re.IGNORECASE)
REFUSES_FIELD = re.compile(
    r"unknown name|unrecognized (?:request argument|field|parameter)|unexpected (?:fields?|keyword)"
    r"|unsupported[_ ](?:parameter|value)"
    r"|not (?:supported|permitted|allowed)|does not support|extra_forbidden|unknown (?:field|parameter)|cannot find field",
    re.IGNORECASE,
)
NO_TOOLS = re.compile(
    r"does not support (?:tools|function)|unsupported param: tools|tools param requires --jinja"
    r"|requires --enable-auto-tool-choice",
    re.IGNORECASE,
)
"""Ollama (server/routes.go), llama.cpp (issue 10920) and vLLM (issue 12839), where model or server are not made for tools."""
SAFE_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,48}")


class Failure(Exception):
    """One attempt's end. `error` is what the caller is told when it is not made again.

    `retry`: it may go better soon, after `pause` seconds where the service says so. `counts`: against the service, in the
    breaker. `refused`: the optional field that the service does not take. `unbilled`: nothing was computed.
    """

    def __init__(
        self,
        error: ModelError,
        *,
        retry: bool = False,
        pause: float | None = None,
        counts: bool = False,
        refused: str | None = None,
        unbilled: bool = True,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry
        self.pause = pause
        self.counts = counts
        self.refused = refused
        self.unbilled = unbilled


class Judge:
    """Knows the names of model and settings, to name them."""

    def __init__(self, *, name: str, model: str, section: str, needs_key: bool) -> None:
        self.name = name
        self._model = model
        self._section = section
        self._needs_key = needs_key

    def unreachable(self) -> Failure:
        return Failure(ModelUnavailable(f"{self.name} is out of reach: see {self._section}.base_url"), retry=True, counts=True)

    def too_slow(self, seconds: float) -> Failure:
        return Failure(ModelFailed(f"{self.name} took longer than {seconds:.0f} s"), counts=True, unbilled=False)

    def broken_off(self) -> Failure:
        return Failure(ModelFailed(f"{self.name} broke off in the middle of its answer"), retry=True, counts=True, unbilled=False)

    def rubbish(self, what: str, *, unbilled: bool = False) -> Failure:
        return Failure(ModelFailed(f"{self.name} {what}: see {self._section}.base_url"), counts=True, unbilled=unbilled)

    def status(self, status: int, headers: Mapping[str, str], body: bytes, sent: Collection[str]) -> Failure:
        """Of an answer that is no success. `sent` are the optional fields of the request."""
        text = body[:20_000].decode(errors="replace")
        told = Told(text)
        pause = retry_after(headers)
        if 300 <= status < 400:
            return Failure(
                ModelUnavailable(f"{self.name} sends elsewhere (HTTP {status}): set {self._section}.base_url to its own address")
            )
        if status in (401, 403, 407) or (status == 400 and BAD_KEY.search(text)):
            lacks = "needs a key" if not self._needs_key and status == 401 else "refuses the key"
            return Failure(ModelUnavailable(f"{self.name} {lacks}{told}: check {self._section}.api_key"))
        if status == 404:
            return Failure(
                ModelUnavailable(
                    f"{self.name} does not know the model {self._model}, or has no such interface{told}: "
                    f"check {self._section}.model and {self._section}.base_url"
                )
            )
        if status == 429:
            if NO_QUOTA.search(text):
                return Failure(ModelUnavailable(f"{self.name}: the account's quota is used up; see the service's billing page"))
            return Failure(ModelUnavailable(f"{self.name} is asked too often", pause), retry=True, pause=pause)
        if status in (400, 500) and NO_TOOLS.search(text):
            hint = "a model that can, or llama-server --jinja, vllm --enable-auto-tool-choice"
            return Failure(PromptRejected(f"{self.name} calls no tools as it is: it takes {hint}"))
        if status in (400, 413, 422):
            return self._refused(status, text, told, sent)
        if status in (408, 409, 425, 502, 503, 504, 529):
            error: ModelError = ModelUnavailable(f"{self.name} is not available now (HTTP {status})", pause)
            return Failure(error, retry=True, pause=pause, counts=True)
        if status >= 500 and status != 501:
            return Failure(ModelFailed(f"{self.name} broke (HTTP {status})"), retry=True, pause=pause, counts=True)
        return Failure(ModelFailed(f"{self.name} answered HTTP {status}{told}"))

    def inside(self, error: Any, sent: Collection[str]) -> Failure:
        """Of an error inside an answer that began as a success."""
        code = error.get("code") if isinstance(error, dict) else None
        status = int(code) if isinstance(code, int | str) and str(code).isdigit() and 400 <= int(code) < 600 else 500
        failure = self.status(status, {}, msgspec.json.encode({"error": error}), sent)
        failure.unbilled = False
        return failure

    def _refused(self, status: int, text: str, told: "Told", sent: Collection[str]) -> Failure:
        if status == 413 or TOO_LONG.search(text):
            return Failure(PromptRejected(f"the conversation is too long for {self.name}"))
        if FILTERED.search(told.code):
            return Failure(PromptRejected(f"{self.name} refuses to answer this: its provider's filter does not let it through"))
        if REFUSES_FIELD.search(text):
            for field in sorted(sent, key=len, reverse=True):
                if told.param == field or re.search(rf"(?<![\w.]){field}(?!\w)", text):
                    return Failure(ModelFailed(f"{self.name} does not take {field}"), refused=field)
        return Failure(ModelFailed(f"{self.name} refused the request (HTTP {status}){told}"))


class Told:
    """What may be repeated of an error: codes and names of fields, never the sentences, which quote what was sent."""

    def __init__(self, text: str) -> None:
        self.code = self.param = ""
        try:
            data = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return
        if isinstance(data, list) and data:  # Google
            data = data[0]
        error = data.get("error", data) if isinstance(data, dict) else None
        if not isinstance(error, dict):
            return
        for key in ("code", "status", "type"):
            value = error.get(key)
            if isinstance(value, str) and not self.code and SAFE_WORD.fullmatch(value):
                self.code = value
        param = error.get("param")
        if isinstance(param, str) and SAFE_WORD.fullmatch(param):
            self.param = param

    def __str__(self) -> str:
        words = [word for word in (self.code, self.param) if word]
        return f" ({', '.join(words)})" if words else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, of `retry-after-ms` or `Retry-After`, which is a number or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
            return float(value) * unit
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, date.timestamp() - time.time())
