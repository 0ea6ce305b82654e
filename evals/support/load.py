"""Scorers by name."""

from collections.abc import Callable, Iterable
from pathlib import Path

from evals.support import scorers as known
from evals.support.scorers import Scorer
from server.verify.model import Verifier

OTHERS: dict[str, Callable[[], Scorer]] = {
    "words": known.Words,
    "cosine": known.Cosine,
    "rules": known.Rules,
    "prompted": known.Prompted,
}
SCORERS = tuple(OTHERS)


def load_scorers(names: Iterable[str], verifier: Verifier, judge: Path | None) -> list[Scorer]:
    """The gate, then a trained judge where its folder is given, then the named ones.

    Raises JudgeError, ChatModelError.
    """
    found: list[Scorer] = [known.Gate(verifier)]
    if judge is not None:
        from evals.judges.trained import TrainedJudge

        found.append(TrainedJudge(judge))
    return found + [OTHERS[name]() for name in names]
