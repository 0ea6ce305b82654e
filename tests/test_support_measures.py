"""What scorers are compared by: words in common, AUC, calibration, thresholds, intervals."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from evals.support.card import page
from evals.support.measure import measured
from evals.support.measures import (
    Figure,
    auc,
    balanced_accuracy,
    calibration_error,
    f1,
    threshold_for,
    with_interval,
)
from evals.support.overlap import content_words, overlap
from evals.support.scorers import Gate, Words
from evals.support.sets import OURS, PairSet
from evals.support.speed import measure
from evals.training.support_calibrate import platt
from evals.training.support_data import invented
from server.corpus import Corpus
from server.verify.model import FOLDER, load


@pytest.mark.parametrize("text", ["", "the of and", "..."])
def test_a_claim_without_words_has_no_overlap(text: str) -> None:
    assert overlap(text, "ketamine and midazolam") == 0.0


def test_overlap_is_the_share_of_words() -> None:
    assert overlap("Ketamine helped rats", "Rats given ketamine were helped.") == 1.0
    assert overlap("Ketamine helped bananas", "ketamine") == pytest.approx(1 / 3)
    assert content_words("The rats, 1,000 of them, froze!") == {"rat", "1000", "froze"}


@given(st.text(max_size=100), st.text(max_size=100))
def test_overlap_is_between_0_and_1(text: str, passage: str) -> None:
    assert 0.0 <= overlap(text, passage) <= 1.0
    assert overlap(text, text) in {0.0, 1.0}


scored = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=60)


@given(scored)
def test_auc_is_the_well_known_one(rows: list[tuple[int, bool]]) -> None:
    scores, supported = np.array([float(s) for s, _ in rows]), np.array([t for _, t in rows])
    if supported.all() or not supported.any():
        assert np.isnan(auc(scores, supported))
    else:
        assert auc(scores, supported) == pytest.approx(roc_auc_score(supported, scores))


def test_balanced_accuracy_and_f1_by_hand() -> None:
    supported = np.array([True, True, True, True, False, False])
    said = np.array([True, True, True, False, True, False])
    assert balanced_accuracy(said, supported) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert f1(~said, ~supported) == pytest.approx(2 * 1 / (2 + 2))
    assert f1(np.array([False, False]), np.array([True, False])) == 0.0


def test_calibration_error_by_hand() -> None:
    scores, supported = np.array([0.05, 0.05, 0.95, 0.95]), np.array([False, True, True, True])
    assert calibration_error(scores, supported) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05)
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0.0


def test_calibration_never_turns_scores_round() -> None:
    supported = np.array([True, True, False, False, False])
    up, down = np.array([2.0, 1.0, -1.0, -2.0, 0.5]), np.array([-2.0, -1.0, 1.0, 2.0, 0.5])
    assert platt(up, supported)[0] > 0.1
    slope, shift = platt(down, supported)
    assert slope > 0
    assert 1 / (1 + np.exp(-(slope * down + shift))) == pytest.approx([0.4] * 5, abs=0.01)


@given(scored, st.floats(0.0, 0.5))
def test_at_the_threshold_no_more_errors_pass_than_may(rows: list[tuple[int, bool]], most: float) -> None:
    scores, supported = np.array([s / 10 for s, _ in rows]), np.array([t for _, t in rows])
    if not supported.all():
        limit = threshold_for(scores, supported, most)
        assert (scores[~supported] >= limit).mean() <= most


def test_intervals_are_over_clusters() -> None:
    values = np.array([0.0, 1.0] * 50)
    alone = with_interval(lambda rows: float(values[rows].mean()), list(range(100)))
    pairs = with_interval(lambda rows: float(values[rows].mean()), [n // 2 for n in range(100)])
    assert alone.value == pairs.value == 0.5
    assert pairs.low == pairs.high == 0.5
    assert 0.38 < alone.low < 0.45 < 0.55 < alone.high < 0.62
    assert str(Figure(0.5, 0.25, 0.75)) == "0.500 (0.250 to 0.750)"


def test_a_measured_set_is_written_as_json_and_told_on_the_card(corpus: Corpus) -> None:
    some = PairSet(OURS, tuple(pair for pair in invented("test")[:60]), True)
    speed = measure(corpus, FOLDER, 3)
    sets = measured([Gate(load()), Words()], [some], None, lambda line: None)
    content = {"command": "python -m evals support", "speed": speed, "drafts": {}, "sets": sets}
    row = json.loads(json.dumps(content))["sets"][OURS][Gate.name]
    assert row["pairs"] == 60
    assert 0 <= row["auc"]["low"] <= row["auc"]["value"] <= row["auc"]["high"] <= 1
    assert sum(asked for _, asked in row["passed_by_kind"].values()) == 60
    told = page(content, FOLDER)
    assert Gate.name in told
    assert f"median {speed['answer_ms']['median']:.0f} ms" in told
