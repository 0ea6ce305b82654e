"""What a task is: samples, an output for each, a score of each output, and a summary of the scores."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from evals.cases import Case
from evals.systems.production import Production

Output = dict[str, Any]
Score = dict[str, Any]


class NotRun(Exception):
    """A task that cannot run here: the report says "not run" with this reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing to generate: a case's id (or another id), for a system, in a variant ("" is the plain one)."""

    id: str
    system: str = "plaincite"
    variant: str = ""


@dataclass(frozen=True)
class Bench:
    """What tasks work with. `models` holds the chat models of this run by system; none in a quick run."""

    production: Production
    cases: tuple[Case, ...]
    quick: bool = False
    scifact: Path | None = None
    repeats: int = 5
    models: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Case]:
        """The cases by id."""
        return {case.id: case for case in self.cases}


class Task(Protocol):
    """One task. `generate` may take long and is never repeated for a sample; `score` is fast and pure."""

    @property
    def name(self) -> str:
        """Its name on the command line and in reports."""

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """What to generate, in order. Raises NotRun."""

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """The output, as JSON; raises where the system under evaluation fails, which counts as a problem."""

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score | None:
        """The score, as JSON; None where this output is only compared with another."""

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """All scores of this task (each with `id`, `system` and `variant`) as they stand in report.json."""
