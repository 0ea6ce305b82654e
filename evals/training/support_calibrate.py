"""From logits to probabilities that mean something, and the limit under which a sentence is dropped."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evals.judges.trained import TrainedJudge
from evals.support.measures import Floats, Truths, auc, threshold_for
from evals.training.support_data import Pair
from evals.training.support_judge import JudgeRecipe
from server.verify.model import CONFIG, Verifier

FALSE_SUPPORT = 0.05
FLAT = 1e-3
MARGIN = 0.8  # of the false support allowed on unseen pairs, what is allowed here: the test part is never looked at


def platt(logits: Floats, supported: Truths) -> tuple[float, float]:
    """(slope, shift) of a logistic fit of the labels on the logits (Platt, 1999).

    Calibration may flatten scores but never turn them round: where they say nothing, all come near the share of
    supported pairs.
    """
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=1e4).fit(logits[:, None], supported)
    slope, shift = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    if slope >= FLAT:
        return slope, shift
    share = float(supported.mean())
    return FLAT, float(np.log(share / (1 - share)))


def logits_of(verifier: Verifier, pairs: list[Pair]) -> Floats:
    """Logits of every pair by the exported model; a long passage is cut to its first window."""
    places: dict[str, list[int]] = {}
    for place, pair in enumerate(pairs):
        places.setdefault(pair.passage, []).append(place)
    found = np.zeros(len(pairs))
    readings = [(verifier.windows(passage)[0], [pairs[at].claim for at in some]) for passage, some in places.items()]
    for some, logits in zip(places.values(), verifier.logits(readings), strict=True):
        found[some] = logits
    return found


def _settle(config: dict[str, Any], logits: Floats, supported: Truths, limit: float | None) -> dict[str, Any]:
    """The config with calibration and limit; without a limit given, the one that keeps false support low."""
    slope, shift = platt(logits, supported)
    scores = 1 / (1 + np.exp(-(slope * logits + shift)))
    at = limit or round(threshold_for(scores, supported, FALSE_SUPPORT * MARGIN) + 5e-4, 3)
    measured = {
        "pairs": len(logits),
        "auc": auc(logits, supported),
        "false_support": float((scores[~supported] >= at).mean()),
        "false_drops": float((scores[supported] < at).mean()),
    }
    return config | {"slope": slope, "shift": shift, "threshold": at, "measured_in_training": measured}


def _write(path: Path, config: dict[str, Any]) -> None:
    path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def calibrate_judge(folder: Path, held: list[Pair], recipe: JudgeRecipe) -> dict[str, Any]:
    """Writes config.json beside the judge's weights; a judge's limit is one half, it leans to neither side."""
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    config: dict[str, Any] = {"sha256": digest, "slope": 1.0, "shift": 0.0, "threshold": 0.5, "recipe": asdict(recipe)}
    _write(folder / "config.json", config)
    judge = TrainedJudge(folder)
    scores = np.array([judge.score(pair.passage, [pair.claim])[0] for pair in held])
    logits = np.log(scores / (1 - scores))
    config = _settle(config, logits, np.array([pair.supported for pair in held]), 0.5)
    _write(folder / "config.json", config)
    return dict(config["measured_in_training"])


def calibrate(folder: Path, held: list[Pair]) -> dict[str, Any]:
    """Puts calibration and limit into the exported folder's config.json; `held` are own pairs that no training saw."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    logits, supported = logits_of(Verifier(folder), held), np.array([pair.supported for pair in held])
    config = _settle(config, logits, supported, None)
    _write(folder / CONFIG, config)
    return dict(config["measured_in_training"])
