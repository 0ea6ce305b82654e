"""Runs scorers over test sets and puts the figures together."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evals.support.checks import alone_and_together
from evals.support.measures import (
    Figure,
    auc,
    balanced_accuracy,
    calibration_error,
    f1,
    share_of,
    with_interval,
)
from evals.support.scorers import GATE, Scorer
from evals.support.sets import PairSet, Scored, by_passage, responses

RAGTRUTH = "ragtruth"
Say = Callable[[str], Any]


def run(scorer: Scorer, some: PairSet) -> Scored:
    """Every pair of the set, each passage read once."""
    scores = np.zeros(len(some.pairs))
    began = time.perf_counter()
    for passage, places in by_passage(some.pairs).items():
        scores[places] = scorer.score(passage, [some.pairs[place].claim for place in places])
    return Scored(some, scorer.name, scorer.limit, scores, time.perf_counter() - began)


def _figure(figure: Figure) -> dict[str, float]:
    return asdict(figure)


def figures(found: Scored) -> dict[str, Any]:
    """AUC always; balanced accuracy, false support and false drops where the scorer has a limit."""
    supported = np.array([pair.supported for pair in found.set.pairs])
    clusters = [pair.passage for pair in found.set.pairs]
    scores = found.scores
    content: dict[str, Any] = {
        "pairs": len(scores),
        "supported": int(supported.sum()),
        "seconds": found.seconds,
        "auc": _figure(with_interval(lambda rows: auc(scores[rows], supported[rows]), clusters)),
    }
    if found.limit is not None:
        said = scores >= found.limit
        content |= {
            "balanced_accuracy": _figure(
                with_interval(lambda rows: balanced_accuracy(said[rows], supported[rows]), clusters)
            ),
            "f1_unsupported": _figure(with_interval(lambda rows: f1(~said[rows], ~supported[rows]), clusters)),
            "false_support": _figure(with_interval(lambda rows: share_of(said[rows][~supported[rows]]), clusters)),
            "false_drops": _figure(with_interval(lambda rows: share_of((~said)[rows][supported[rows]]), clusters)),
        }
    return content


def planted(found: Scored) -> dict[str, Any]:
    """By kind of claim, how many pass; and how far probabilities can be believed."""
    limit = found.limit or 0.0
    kinds: dict[str, list[bool]] = {}
    for pair, score in zip(found.set.pairs, found.scores, strict=True):
        kinds.setdefault(f"{'supported' if pair.supported else 'error'}: {pair.kind}", []).append(bool(score >= limit))
    supported = np.array([pair.supported for pair in found.set.pairs])
    clusters = [pair.passage for pair in found.set.pairs]
    return {
        "passed_by_kind": {kind: [sum(rows), len(rows)] for kind, rows in sorted(kinds.items())},
        "calibration_error": _figure(
            with_interval(lambda rows: calibration_error(found.scores[rows], supported[rows]), clusters)
        ),
    }


def response_level(found: Scored, data: Path) -> dict[str, Any]:
    """RAGTruth's responses: one is flagged where any of its sentences falls under the limit."""
    of, truth = responses(data)
    least: dict[str, float] = {}
    for response, score in zip(of, found.scores, strict=True):
        least[response] = min(score, least.get(response, np.inf))
    names = [name for name in truth if name in least]
    lowest, bad = np.array([least[name] for name in names]), np.array([truth[name] for name in names])
    flagged = lowest < (found.limit or 0.0)
    return {
        "responses": len(names),
        "hallucinated": int(bad.sum()),
        "flagged": int(flagged.sum()),
        "f1": _figure(with_interval(lambda rows: f1(flagged[rows], bad[rows]), names)),
        "auc": _figure(with_interval(lambda rows: auc(-lowest[rows], bad[rows]), names)),
    }


def measured(scorers: Sequence[Scorer], sets: Sequence[PairSet], data: Path | None, say: Say) -> dict[str, Any]:
    """Figures by set and scorer; `say` is told of each as it is done."""
    content: dict[str, Any] = {}
    for some in sets:
        rows = content.setdefault(some.name, {})
        for scorer in scorers:
            found = run(scorer, some)
            rows[scorer.name] = figures(found)
            if some.planted and scorer.limit is not None:
                rows[scorer.name] |= planted(found)
                if scorer.name == GATE:
                    rows[scorer.name]["checks"] = alone_and_together(found)
            if some.name == RAGTRUTH and data is not None and scorer.limit is not None:
                rows[scorer.name]["responses"] = response_level(found, data)
            say(f"{some.name} ({len(some.pairs)}), {scorer.name}: AUC {Figure(**rows[scorer.name]['auc'])}")
    return content
