"""Ends a text at a stop sequence, whether or not the service has done so."""

from collections.abc import Sequence


class Stops:
    """Holds back the end of a text as long as a stop sequence may begin in it."""

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [sequence for sequence in sequences if sequence]
        self._held = ""
        self.stopped = False

    def pass_on(self, text: str) -> str:
        """What may be passed on now. Nothing comes any more once it has `stopped`."""
        if self.stopped or not self._sequences:
            return "" if self.stopped else text
        self._held += text
        found = [place for place in (self._held.find(sequence) for sequence in self._sequences) if place >= 0]
        if found:
            self.stopped = True
            text, self._held = self._held[: min(found)], ""
            return text
        keep = max(self._overlap(sequence) for sequence in self._sequences)
        cut = len(self._held) - keep
        text, self._held = self._held[:cut], self._held[cut:]
        return text

    def rest(self) -> str:
        """At the end: no stop sequence came."""
        text, self._held = self._held, ""
        return text

    def _overlap(self, sequence: str) -> int:
        """How many of the last characters are the beginning of the sequence."""
        for length in range(min(len(sequence) - 1, len(self._held)), 0, -1):
            if self._held.endswith(sequence[:length]):
                return length
        return 0
