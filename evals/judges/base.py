"""What a judge is. A judge that cannot tell says so: unjudged is counted apart, never as 0 or 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class JudgeError(RuntimeError):
    """A judge that cannot be loaded: one line that says why."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether the passages support the sentence; None is unjudged. `why` is a few words, for the report."""

    supported: bool | None
    why: str = ""


class Judge(Protocol):
    """Looks at a sentence and the texts of its passages. It never sees who wrote it, or what the gate thinks of it."""

    @property
    def name(self) -> str:
        """Its name in reports."""

    def judge(self, sentence: str, passages: Sequence[str]) -> Opinion:
        """Its opinion; never raises for what it was shown."""
