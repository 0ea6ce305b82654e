"""Support: the best of what a sentence cites, verdicts that are stored, and claims that the scorer doubts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import TOPIC

from evals.support.overlap import overlap
from server.corpus import load_corpora
from server.corpus.check import check_claim
from server.paths import CORPUS
from server.reading_level import split_sentences
from server.verify.model import Support
from server.verify.support import Held, Reading, Scorer, Supports, best_sentences, judged, stored_verdicts, verdict_key

TRIAL = (
    "[The made-up trial, 2019. Randomised trial] 60 adults with poor sleep were randomised to melatonin (n = 31) or to "
    "a dummy pill (n = 29). At 4 weeks, 61% slept better with melatonin and 28% with the dummy pill. "
    "At 6 months the groups no longer differed. Headache was reported by 20% with melatonin and by 7% without it."
)
OTHER = "The clinic keeps a garden with many old trees and a small pond."
TRUE = "At 6 months the groups were alike."


class Words:
    """Scores by words in common: quick, and good enough to see what is asked."""

    threshold, digest = 0.2, "words"

    def support(self, readings: Sequence[Reading]) -> list[list[Support]]:
        return [[Support(overlap(claim, passage), passage) for claim in claims] for passage, claims in readings]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Words()


class Counting(Words):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def support(self, readings: Sequence[Reading]) -> list[list[Support]]:
        self.asked += [(passage, len(claims)) for passage, claims in readings]
        return super().support(readings)


def test_the_best_of_several_passages_counts_and_a_sentence_without_any_has_none(scorer: Scorer) -> None:
    alone = judged(scorer, [(TRUE, (TRIAL,))])[0]
    found = judged(scorer, [(TRUE, (OTHER, TRIAL)), (TRUE, ())])
    assert found == [alone, 0.0]


def test_passages_are_read_together_only_where_none_is_enough_alone() -> None:
    counting = Counting()
    claim = "Old trees slept better, adults keep ponds, headaches garden melatonin, and bananas grow on far islands."
    both = judged(counting, [(claim, ("Old trees.", "Bananas."))])[0]
    assert ("Old trees.\nBananas.", 1) in counting.asked
    assert both > max(judged(Counting(), [(claim, ("Old trees.",)), (claim, ("Bananas.",))]))
    counting.asked.clear()
    judged(counting, [(TRUE, (TRIAL, OTHER))])
    assert len(counting.asked) == 2


def test_sentences_that_share_a_passage_are_read_in_one_go() -> None:
    counting = Counting()
    judged(counting, [(TRUE, (TRIAL,)), ("60 adults took part.", (TRIAL,)), (TRUE, (TRIAL,))])
    assert counting.asked == [(TRIAL, 2)]


def test_stored_verdicts_ask_nothing_and_new_words_on_either_side_do(scorer: Scorer) -> None:
    asked = (TRUE, (TRIAL,))
    stored = Supports(scorer, {verdict_key(asked, scorer.digest): Held(0.123, (2,))})
    assert stored.verdicts([asked]) == [Held(0.123, (2,))]
    assert stored.verdicts([(TRUE + " ", (TRIAL,))])[0].score != 0.123
    assert stored.verdicts([(TRUE, (TRIAL + " ",))])[0].score != 0.123
    assert verdict_key(asked, "other") != verdict_key(asked, scorer.digest)


def test_what_was_scored_is_not_scored_again() -> None:
    counting = Counting()
    supports = Supports(counting)
    first = supports.verdicts([(TRUE, (TRIAL,)), (TRUE, ())])
    asked = len(counting.asked)
    assert supports.verdicts([(TRUE, (TRIAL,)), (TRUE, ())]) == first
    assert len(counting.asked) == asked


def test_the_sentence_that_bears_a_claim_out_is_found(scorer: Scorer) -> None:
    found = best_sentences(scorer, [(TRUE, (TRIAL, OTHER)), ("31 adults had melatonin.", (TRIAL,)), (TRUE, ())])
    places = split_sentences(TRIAL.split("] ", 1)[1])
    assert "At 6 months" in places[found[0][0]]
    assert "n = 31" in places[found[1][0]]
    assert found[0][1] == 0
    assert found[2] == ()


def test_verdicts_are_kept_in_a_file_and_made_only_once(scorer: Scorer, tmp_path: Path) -> None:
    path, told = tmp_path / "index" / "verdicts.json", []
    wanted = [(TRUE, (TRIAL,)), (OTHER, (TRIAL,))]
    first = stored_verdicts(path, scorer, wanted, lambda done, total: told.append((done, total)))
    assert told == [(2, 2)]
    assert stored_verdicts(path, scorer, wanted, lambda done, total: told.append((done, total))) == first
    assert told == [(2, 2)]
    stored_verdicts(path, scorer, wanted[:1], lambda done, total: None)
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": "b"}', "\x00"])
def test_a_broken_file_of_verdicts_is_made_anew(scorer: Scorer, tmp_path: Path, content: str) -> None:
    path = tmp_path / "verdicts.json"
    path.write_text(content)
    found = stored_verdicts(path, scorer, [(TRUE, (TRIAL,))], lambda done, total: None)
    assert list(json.loads(path.read_text())) == list(found)


def test_a_folder_that_cannot_be_written_costs_no_answer(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = stored_verdicts(tmp_path / "file" / "v.json", scorer, [(TRUE, (TRIAL,))], lambda done, total: None)
    assert len(found) == 1


def test_a_claim_that_the_scorer_doubts_is_a_defect_until_its_record_says_why() -> None:
    corpus = load_corpora(CORPUS)[TOPIC]
    claim = corpus.claims["feder2014.c.result"]
    doubted = replace(claim, text="Bananas grow in warm places near rivers where many birds nest all summer.")
    assert [line for line in check_claim(doubted, corpus) if "hardly bear it out" in line]
    assert not [
        line for line in check_claim(replace(doubted, doubt="looked at"), corpus) if "hardly bear it out" in line
    ]
    assert [line for line in check_claim(replace(claim, doubt="looked at"), corpus) if "by now" in line]
