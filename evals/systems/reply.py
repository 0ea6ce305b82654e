"""A system's reply to a case, in the one form that every scorer reads."""

from dataclasses import dataclass
from typing import Protocol

from evals.cases import Case


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence that states something: the passages that it cites, and those that it is held against.

    `evidence` are the cited passages, or, where it cites none, all that the system was shown.
    """

    text: str
    cited: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. `said` leaves out fixed wording; `text` is everything but cards; `ms` the time that it took."""

    abstained: bool
    said: tuple[Said, ...]
    text: str
    ms: float


class System(Protocol):
    """Anything that answers a case."""

    @property
    def name(self) -> str:
        """Its name in reports."""

    def answer(self, case: Case, repeat: int = 0) -> Reply:
        """Its reply; raises what the model or its server raises."""
