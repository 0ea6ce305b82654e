"""A passage as a reader opens it: figures marked, the sentence that bears ours out best shaded."""

import pytest
from conftest import TOPIC, ask
from hypothesis import given
from hypothesis import strategies as st

from server.corpus import load_corpora
from server.engine import Engine
from server.metrics import Metrics
from server.paths import CORPUS
from server.reading_level import split_sentences
from server.render.sources import segmented
from server.render.view import to_view
from server.turn import Message, Outcome, Question, Role, Sentence, Turn, Verdict
from server.verify.support import DOUBT, LEEWAY

PASSAGE = "The trial had 41 people. Ketamine was held against midazolam. At 24 hours scores were lower in 41 of them."
REAL = load_corpora(CORPUS)[TOPIC]


@pytest.mark.parametrize("best", [0, 1, 2])
def test_the_best_sentence_is_marked_whole_and_alone(best: int) -> None:
    found = segmented(PASSAGE, "41 people took part.", best)
    assert "".join(part["text"] for part in found) == PASSAGE
    chosen = "".join(part["text"] for part in found if part["best"])
    assert chosen == split_sentences(PASSAGE)[best]
    assert {part["text"] for part in found if part["mark"]} == {"41"}


@pytest.mark.parametrize("best", [None, -1, 3, 99])
def test_where_it_is_not_known_nothing_is_shaded(best: int | None) -> None:
    assert not any(part["best"] for part in segmented(PASSAGE, "41 people took part.", best))


def test_a_passage_of_one_sentence_is_not_shaded() -> None:
    assert not any(part["best"] for part in segmented("The trial had 41 people.", "41 people took part.", 0))


@given(st.sampled_from(sorted(REAL.passages)), st.integers(0, 9))
def test_segments_hold_every_real_passage_word_for_word(passage: str, best: int) -> None:
    text = REAL.passages[passage].text
    assert "".join(part["text"] for part in segmented(text, "41 people, 24 hours.", best)) == text


def test_dropped_sentences_are_counted_by_the_check_that_failed() -> None:
    metrics = Metrics()
    bad = Sentence("x", Role.POINT, verdict=Verdict(0.1, False, True, True, supported=False))
    turn = Turn(Question((Message("user", "?"),), topic=TOPIC), outcome=Outcome.ANSWER, dropped=(bad, bad))
    metrics.turn(turn)
    text = metrics.text().decode()
    assert 'plaincite_dropped_sentences_total{check="figures"} 2.0' in text
    assert 'plaincite_dropped_sentences_total{check="supported"} 2.0' in text
    assert 'check="wording"' not in text


def test_a_sentence_with_a_low_score_says_why_it_stays(engine: Engine) -> None:
    turn = ask(engine, "Who took part in the Feder trial?")
    view = to_view(turn, engine.corpora[TOPIC], engine.wording)
    sentences = [one for group in view["groups"] for one in group["sentences"]]
    doubts = {one["claim"]: one["doubt"] for one in sentences if one["doubt"]}
    claims = engine.corpora[TOPIC].claims
    assert doubts
    assert all(claims[claim].doubt == why for claim, why in doubts.items())
    assert all(one["checks"]["support"] >= DOUBT - LEEWAY for one in sentences if one["claim"] and not one["doubt"])
