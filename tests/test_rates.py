"""Rates, intervals, corrections and rankings: held against values worked out elsewhere."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from evals.ranking import measures, ndcg, recall_at, reciprocal
from evals.rates import MIN_UNSUPPORTED, Power, Weighed, corrected, difference, mcnemar, needed_for, rate, rogan_gladen
from evals.readability import smog


def units(bad: int, good: int, unjudged: int = 0, clusters: int = 10) -> list[Weighed]:
    verdicts = [True] * bad + [False] * good + [None] * unjudged
    return [Weighed(verdict, 1, f"c{place % clusters}") for place, verdict in enumerate(verdicts)]


def test_a_rate_weighs_by_how_often_a_sentence_was_shown() -> None:
    found = rate([Weighed(True, 1, "a"), Weighed(False, 9, "b")])
    assert found.rate == 0.1
    assert (found.judged, found.bad, found.shown, found.clusters) == (2, 1, 10, 2)


def test_unjudged_is_counted_apart_and_never_as_zero_or_one() -> None:
    found = rate(units(5, 5, unjudged=90))
    assert (found.rate, found.judged, found.unjudged) == (0.5, 10, 90)
    nothing = rate(units(0, 0, unjudged=3))
    assert (nothing.rate, nothing.interval, nothing.unjudged) == (None, None, 3)


def test_a_sentence_that_was_never_shown_moves_no_rate() -> None:
    assert rate([Weighed(True, 0, "a"), Weighed(False, 4, "a")]).rate == 0.0


def test_nothing_found_is_the_rule_of_three_and_not_zero() -> None:
    found = rate(units(0, 150))
    assert found.interval == (0.0, 0.02)
    assert found.rule_of_three == 0.02
    assert rate(units(150, 0)).interval == (0.98, 1.0)
    assert rate(units(1, 9)).rule_of_three is None


def test_one_failure_never_looks_surer_than_none() -> None:
    none, one = rate(units(0, 137)).interval, rate(units(1, 136)).interval
    assert none is not None
    assert one is not None
    assert one[0] <= 1 / 137 <= one[1]
    assert one[1] > none[1]
    assert rate([Weighed(place == 0, 1, f"c{place % 10}") for place in range(137)]).interval == one


def test_a_claim_of_under_one_percent_needs_300_sentences() -> None:
    assert needed_for(0.01) == 300
    with pytest.raises(ValueError, match="between 0 and 1"):
        needed_for(0)


def test_sentences_of_one_source_count_as_less_than_independent_ones() -> None:
    together = [Weighed(place < 30, 1, "bad" if place < 30 else f"c{place % 9}") for place in range(100)]
    apart = [Weighed(place < 30, 1, f"s{place}") for place in range(100)]
    wide, narrow = rate(together).interval, rate(apart).interval
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_one_source_alone_gets_wilson_s_interval() -> None:
    assert rate(units(5, 5, clusters=1)).interval == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_rogan_and_gladen_s_correction() -> None:
    # 30 % called unsupported by a judge of sensitivity 0.8 and specificity 0.9: (0.3 - 0.1) / 0.7.
    assert float(rogan_gladen(0.3, 0.8, 0.9)) == pytest.approx(2 / 7)
    assert float(rogan_gladen(0.05, 0.8, 0.9)) == 0.0


def test_the_corrected_interval_carries_the_judge_s_own_uncertainty() -> None:
    many = corrected(units(30, 70), Power(800, 1000, 900, 1000))
    few = corrected(units(30, 70), Power(32, 40, 36, 40))
    assert many.rate == pytest.approx(2 / 7)
    assert few.interval[1] - few.interval[0] > many.interval[1] - many.interval[0]
    assert few.interval[0] <= 2 / 7 <= few.interval[1]


def test_the_corrected_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    truth, sens, spec, held = 0.25, 0.75, 0.9, 0
    for trial in range(60):
        bad = random.random(300) < truth
        called = np.where(bad, random.random(300) < sens, random.random(300) >= spec)
        judged = [Weighed(bool(one), 1, f"s{place}") for place, one in enumerate(called)]
        power = Power(int(random.binomial(80, sens)), 80, int(random.binomial(80, spec)), 80)
        low, high = corrected(judged, power, resamples=600, seed=trial).interval
        held += low <= truth <= high
    assert held >= 53  # 95 % of 60 is 57; fewer than 53 has a chance of about 1 in 100


@pytest.mark.parametrize(
    ("power", "why"),
    [
        (Power(20, MIN_UNSUPPORTED - 1, 90, 100), f"only {MIN_UNSUPPORTED - 1} unsupported"),
        (Power(10, 50, 30, 100), "no better than chance"),
        (Power(0, 0, 90, 100), "only 0 unsupported"),
    ],
)
def test_where_the_judge_s_errors_cannot_be_told_the_interval_is_everything(power: Power, why: str) -> None:
    found = corrected(units(10, 90), power, pooled=Power(800, 1000, 950, 1000))
    assert found.interval == (0.0, 1.0)
    assert why in found.why
    assert found.rate == pytest.approx((0.1 - 0.05) / 0.75)
    assert corrected(units(10, 90), Power(0, 0, 9, 9)).rate is None


def test_mcnemar_is_the_exact_test() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 9) == pytest.approx(0.0215, abs=1e-4)


def test_a_difference_of_pairs_has_an_interval() -> None:
    mean, low, high = difference([0, 0, 0, 0, 1], [1, 1, 0, 0, 1])
    assert mean == pytest.approx(0.4)
    assert low <= 0.4 <= high
    assert difference([], []) is None
    with pytest.raises(ValueError, match="different length"):
        difference([1], [])


def test_rankings_are_measured_as_the_field_does() -> None:
    ranking, gold = ["a", "b", "c", "d"], {"b", "d", "x"}
    assert recall_at(ranking, gold, 3) == pytest.approx(1 / 3)
    assert reciprocal(ranking, gold) == 0.5
    scores = [[4.0, 3.0, 2.0, 1.0, 0.0]]
    expected = ndcg_score([[0.0, 1.0, 0.0, 1.0, 1.0]], scores, k=10)
    # scikit-learn ranks "x" fifth; here it was not found at all.
    best = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert ndcg(ranking, gold) == pytest.approx(expected - (1 / np.log2(6)) / best)
    assert measures(ranking, gold)["mrr"] == 0.5
    with pytest.raises(ValueError, match="gold"):
        ndcg(ranking, set())


def test_smog_counts_long_words() -> None:
    plain = "The cat sat on the mat and the dog ran off. " * 4
    hard = "Dissociation measured immediately afterwards necessitated observation by qualified personnel today. " * 4
    assert smog(plain) == pytest.approx(3.1291)
    assert smog(hard) is not None
    assert smog("too short") is None
    found = smog(hard)
    assert found is not None
    assert found > 12
