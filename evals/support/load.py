"""Scorers by name."""

from collections.abc import Callable, Iterable
from pathlib import Path

from evals.support import scorers as known
from evals.support.candidate import Candidate
from evals.support.scorers import Scorer

ALWAYS: dict[str, Callable[[], Scorer]] = {
    "gate": known.Gate,
    "cosine": known.Cosine,
    "rules": known.Rules,
    "prompted": known.Prompted,
}
SCORERS = tuple(ALWAYS)


def load_scorers(names: Iterable[str], weights: Path | None, judge: Path | None) -> list[Scorer]:
    """The scorers, loaded: a trained model and a trained judge where their folders are given.

    Raises CandidateError, JudgeError, ChatModelError.
    """
    found: list[Scorer] = []
    if weights is not None:
        found.append(known.Trained(Candidate(weights)))
    if judge is not None:
        from evals.judges.trained import TrainedJudge

        found.append(TrainedJudge(judge))
    return found + [ALWAYS[name]() for name in names]
