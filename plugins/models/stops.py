"""Ends a text at a stop sequence, whether or not the model or the service has done so."""

from collections.abc import Sequence


class Stops:
    """Ends a text before the stop sequence that is complete first, however the text is cut into pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def pass_on(self, text: str) -> str:
        """What can be shown: a tail that may be the beginning of a stop sequence waits."""
        if self.stopped:
            return ""
        if not self._stops:
            return text
        self._held += text
        found = [(start + len(stop), start) for stop in self._stops if (start := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)[1]], ""
            return shown
        kept = max(self._begun(stop) for stop in self._stops)
        shown, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return shown

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held

    def _begun(self, stop: str) -> int:
        """How many characters at the end of what is held are the beginning of a stop sequence."""
        longest = min(len(self._held), len(stop) - 1)
        return next((length for length in range(longest, 0, -1) if stop.startswith(self._held[-length:])), 0)
