"""Verify: each check drops what it must, and nothing is called answered that did not pass every check."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from conftest import TOPIC
from hypothesis import given, settings
from hypothesis import strategies as st

from server.compose.plan import sentence as as_sentence
from server.corpus import Corpus, load_corpora
from server.paths import CORPUS
from server.turn import ANSWERED, UNCITED_ROLES, Draft, Message, Outcome, Question, Role, Sentence, Turn
from server.verify.labels import label_faults, sources_of
from server.verify.model import Verifier, load
from server.verify.rows import scored
from server.verify.stage import Verify
from server.verify.support import DOUBT, LEEWAY, Asked, Held, Supports
from server.verify.wording import problems
from server.wording import Wording, load_wording

REAL = load_corpora(CORPUS)[TOPIC]
CHECK = Verify(REAL, load_wording(), Supports(load()))
ASKED = Turn(Question((Message("user", "Does ketamine help with PTSD?"),), "US", topic=TOPIC))
STEP = Sentence("You can ask the team that treats you what this means for you.", Role.NEXT_STEP)


class Sure(Supports):
    """Supports everything: what is dropped all the same is dropped by another check."""

    def __init__(self) -> None:
        super().__init__(load())

    def verdicts(self, wanted: Sequence[Asked]) -> list[Held]:
        return [Held(1.0) for _ in wanted]


@pytest.fixture(scope="module")
def scorer() -> Verifier:
    return load()


@pytest.fixture(scope="module")
def verify() -> Verify:
    return CHECK


@pytest.fixture(scope="module")
def sure(corpus: Corpus, wording: Wording) -> Verify:
    """The stage with every check but support."""
    return Verify(corpus, wording, Sure())


def said(text: str, *citations: str, role: Role = Role.LEAD, certainty: str | None = None) -> Sentence:
    return Sentence(text, role, citations, certainty=certainty)


def claim(corpus: Corpus, identifier: str, role: Role = Role.LEAD) -> Sentence:
    return as_sentence(corpus.claims[identifier], role)


def ended(verify: Verify, *sentences: Sentence, outcome: Outcome = Outcome.ANSWER) -> Turn:
    return verify(ASKED.having(draft=Draft(outcome, None, tuple(sentences))))


def dropped_alone(verify: Verify, bad: Sentence, *good: Sentence) -> Sentence:
    """The bad sentence beside a good one: it alone is dropped."""
    turn = ended(verify, *good, bad)
    assert [s.text for s in turn.sentences] == [s.text for s in good]
    assert [s.text for s in turn.dropped] == [bad.text]
    assert turn.outcome is Outcome.ANSWER
    return turn.dropped[0]


# What holds


def test_a_true_sentence_passes_every_check(verify: Verify, corpus: Corpus) -> None:
    turn = ended(verify, claim(corpus, "feder2014.c.result"), STEP)
    assert turn.outcome is Outcome.ANSWER
    assert turn.reason is None
    assert turn.dropped == ()
    first, step = turn.sentences
    assert first.verdict is not None
    assert first.verdict.passed
    assert first.verdict.support is not None
    assert DOUBT <= first.verdict.support <= 1
    assert step.verdict is not None
    assert step.verdict.support is None


def test_every_real_claim_passes_all_but_the_labels_of_an_answer(verify: Verify, corpus: Corpus) -> None:
    for identifier in corpus.claims:
        verdict = verify.verdict(claim(corpus, identifier))
        assert verdict.passed, identifier
        assert verdict.support is not None
        assert verdict.support >= DOUBT - LEEWAY or corpus.claims[identifier].doubt, identifier


def test_without_a_draft_there_is_no_verdict(verify: Verify) -> None:
    with pytest.raises(ValueError, match="draft"):
        verify(ASKED)


def test_card_and_conflict_of_the_draft_are_kept(verify: Verify, corpus: Corpus) -> None:
    draft = Draft(Outcome.ANSWER_WITH_CARD, None, (claim(corpus, "feder2014.c.result"),), "side_effects", "C2")
    turn = verify(ASKED.having(draft=draft))
    assert (turn.outcome, turn.card, turn.conflict) == (Outcome.ANSWER_WITH_CARD, "side_effects", "C2")


# Planted sentences, one a check


@pytest.mark.parametrize(
    "text",
    [
        "In a small trial of 42 adults, PTSD scores were lower 24 hours after ketamine than after midazolam.",
        "In a small trial of 24 adults, PTSD scores were lower 41 hours after ketamine than after midazolam.",
        "In a small trial of 41 adults, PTSD scores were lower 24 days after ketamine than after midazolam.",
        "In a small trial, PTSD scores were lower by 17.20 points after ketamine than after midazolam.",
        "In a small trial, PTSD scores were lower in 41% of adults after ketamine than after midazolam.",
    ],
)
def test_a_swapped_number_is_dropped(verify: Verify, corpus: Corpus, text: str) -> None:
    bad = dropped_alone(verify, said(text, "feder2014.results.1", role=Role.POINT), claim(corpus, "feder2014.c.result"))
    assert bad.verdict is not None
    assert not bad.verdict.figures


def test_an_animal_study_without_rats_is_dropped(verify: Verify, corpus: Corpus) -> None:
    text = "Ketamine sped up the unlearning of fear, and it came back less 8 days later."
    bad = dropped_alone(
        verify, said(text, "girgenti2017.results.1", role=Role.POINT), claim(corpus, "girgenti2017.c.result")
    )
    assert bad.verdict is not None
    assert not bad.verdict.labels


@pytest.mark.parametrize(
    ("text", "passage"),
    [
        ("PTSD scores were lower 24 hours after ketamine than after midazolam.", "feder2014.results.1"),
        ("Suicidal thoughts eased after ketamine in people.", "ballard2014.results.1"),
        ("After 6 infusions, 12 of 15 small-study veterans were in remission.", "albott2018.results.1"),
        ("No clear difference in PTSD scores between ketamine and placebo was found.", "abdallah2021.results.1"),
        ("A report tells of personality traits that became worse with ketamine.", "ahuja2024.background.1"),
        ("Mild to moderate side effects came during the infusion.", "abdallah2015.harms.1"),
    ],
)
def test_a_label_missing_over_the_whole_answer_drops_its_sentences(verify: Verify, text: str, passage: str) -> None:
    turn = ended(verify, said(text, passage), STEP)
    assert turn.outcome is Outcome.DECLINE_REDIRECT
    assert [s.text for s in turn.dropped] == [text]
    assert turn.dropped[0].verdict is not None
    assert not turn.dropped[0].verdict.labels


def test_a_label_said_by_another_sentence_is_enough(verify: Verify, corpus: Corpus) -> None:
    lead = claim(corpus, "abdallah2021.c.result")
    assert ended(verify, lead).outcome is Outcome.DECLINE_REDIRECT
    turn = ended(verify, lead, claim(corpus, "abdallah2021.c.later", Role.POINT))
    assert turn.outcome is Outcome.ANSWER
    assert turn.dropped == ()


def test_dropping_the_words_of_a_label_drops_those_who_leaned_on_them(verify: Verify, corpus: Corpus) -> None:
    lead = claim(corpus, "abdallah2021.c.result")
    text = "A later journal version came out in 2031."
    turn = ended(verify, lead, said(text, "abdallah2021.limits.2", role=Role.POINT))
    assert {s.text for s in turn.dropped} == {lead.text, text}
    assert (turn.outcome, turn.reason) == (Outcome.DECLINE_REDIRECT, "unverified_draft")


def test_labels_hold_over_what_is_kept_however_long_the_chain(verify: Verify, corpus: Corpus) -> None:
    """One sentence falls for its figure, a second for the label it said, a third for the label the second said."""
    lead = claim(corpus, "dadabayev2020.c.result")
    chain = (
        said("The small trial had 999 people.", "feder2014.methods.1", role=Role.POINT),
        said(
            "PTSD scores were lower with ketamine in the later journal version as well.",
            "feder2014.results.1",
            "abdallah2021.results.1",
            role=Role.POINT,
        ),
        said(
            "No clear difference in PTSD scores between ketamine and placebo was found.",
            "abdallah2021.results.1",
            role=Role.POINT,
        ),
    )
    turn = ended(verify, lead, *chain)
    assert label_faults(turn.sentences, corpus) == set()
    assert [s.text for s in turn.sentences] == [lead.text]
    assert {s.text for s in turn.dropped} == {s.text for s in chain}


@pytest.mark.parametrize(
    "text",
    [
        "Ketamine was a leading treatment in this small trial: PTSD scores were lower than after midazolam.",
        "Side effects were rare in this small trial: PTSD scores were lower after ketamine than after midazolam.",
        "In this small trial PTSD scores were lower after ketamine; you should take it instead of midazolam.",
        "In this small trial subjects had lower PTSD scores after ketamine than after midazolam.",
        "In this small trial people were 41 times more likely to have lower PTSD scores after ketamine.",
    ],
)
def test_bad_wording_is_dropped(verify: Verify, corpus: Corpus, text: str) -> None:
    bad = dropped_alone(verify, said(text, "feder2014.results.1", role=Role.POINT), claim(corpus, "feder2014.c.result"))
    assert bad.verdict is not None
    assert not bad.verdict.wording


@pytest.mark.parametrize(("certainty", "kept"), [("low", False), ("very_low", False), ("high", True), (None, True)])
def test_confirms_is_too_sure_for_low_certainty(sure: Verify, certainty: str | None, kept: bool) -> None:
    text = "A small trial confirms that PTSD scores were lower after ketamine than after midazolam."
    turn = ended(sure, said(text, "feder2014.results.1", certainty=certainty))
    assert (turn.outcome is Outcome.ANSWER) == kept


def test_a_dose_is_dropped_even_when_its_passage_holds_it(verify: Verify, corpus: Corpus) -> None:
    text = "In this small trial, people had 0.5 mg/kg of ketamine over 40 minutes."
    bad = dropped_alone(verify, said(text, "feder2014.methods.2", role=Role.POINT), claim(corpus, "feder2014.c.result"))
    assert bad.verdict is not None
    assert bad.verdict.figures
    assert not bad.verdict.wording


@pytest.mark.parametrize("role", [role for role in Role if role not in UNCITED_ROLES])
def test_an_unknown_passage_is_dropped(verify: Verify, corpus: Corpus, role: Role) -> None:
    text = corpus.claims["feder2014.c.result"].text
    assert said(text, "feder2014.results.1", "feder2014.results.99", role=role).text not in {
        s.text for s in ended(verify, said(text, "feder2014.results.1", "feder2014.results.99", role=role)).sentences
    }


@pytest.mark.parametrize("role", [role for role in Role if role not in UNCITED_ROLES])
def test_a_sentence_without_citation_is_dropped(verify: Verify, role: Role) -> None:
    text = "Ketamine may help."
    assert text not in {s.text for s in ended(verify, said(text, role=role)).sentences}


@pytest.mark.parametrize("role", sorted(UNCITED_ROLES))
def test_a_fixed_sentence_never_cites(verify: Verify, corpus: Corpus, role: Role) -> None:
    bad = said("You can ask your team.", "feder2014.results.1", role=role)
    dropped_alone(verify, bad, claim(corpus, "feder2014.c.result"))


class Half(Supports):
    """Supports everything half."""

    def __init__(self) -> None:
        super().__init__(load())

    def verdicts(self, wanted: Sequence[Asked]) -> list[Held]:
        return [Held(0.55) for _ in wanted]


def test_a_sentence_that_nobody_reviewed_needs_more_than_a_reviewed_one(corpus: Corpus, wording: Wording) -> None:
    verify = Verify(corpus, wording, Half())
    reviewed = claim(corpus, "feder2014.c.result")
    other = said(reviewed.text.replace("In", "And in", 1), *reviewed.citations)
    assert verify.threshold > 0.55
    assert verify.verdict(reviewed).supported
    assert not verify.verdict(other).supported
    elsewhere = said(reviewed.text, "feder2014.methods.2")
    assert not verify.verdict(elsewhere).supported


def test_a_reviewed_sentence_that_is_clearly_not_borne_out_is_dropped(corpus: Corpus, wording: Wording) -> None:
    class Low(Half):
        def verdicts(self, wanted: Sequence[Asked]) -> list[Held]:
            return [Held(DOUBT - LEEWAY - 0.01) for _ in wanted]

    sound = next(one for one in corpus.claims.values() if not one.doubt)
    assert not Verify(corpus, wording, Low()).verdict(as_sentence(sound, Role.POINT)).supported
    doubted = replace(sound, doubt="a reason")
    other = replace(corpus, claims={**corpus.claims, sound.id: doubted})
    assert Verify(other, wording, Low()).verdict(as_sentence(doubted, Role.POINT)).supported


def test_an_unrelated_sentence_is_dropped(verify: Verify, corpus: Corpus) -> None:
    text = "Bananas grow in warm places near small rivers where birds nest all summer."
    bad = dropped_alone(verify, said(text, "feder2014.results.1", role=Role.POINT), claim(corpus, "feder2014.c.result"))
    assert bad.verdict is not None
    assert bad.verdict.failed == ("supported",)
    assert bad.verdict.support is not None
    assert bad.verdict.support < verify.threshold


# Endings


@pytest.mark.parametrize("outcome", sorted(ANSWERED))
def test_an_answer_that_loses_its_lead_is_an_honest_refusal(verify: Verify, wording: Wording, outcome: Outcome) -> None:
    turn = ended(
        verify,
        said("Ketamine cured 999 people.", "feder2014.results.1"),
        as_sentence(REAL.claims["dadabayev2020.c.limits"], Role.POINT),
        STEP,
        outcome=outcome,
    )
    assert (turn.outcome, turn.reason) == (Outcome.DECLINE_REDIRECT, "unverified_draft")
    assert [s.role for s in turn.sentences] == [Role.FIXED, Role.NEXT_STEP]
    assert turn.sentences[0].text == wording.replies["fixed"]["not_found"]
    assert all(not s.citations for s in turn.sentences)
    assert turn.conflict is None


def test_an_empty_draft_is_no_answer(verify: Verify) -> None:
    assert ended(verify).outcome is Outcome.DECLINE_REDIRECT


def test_a_refused_answer_shows_only_checked_sentences(verify: Verify) -> None:
    bad_step = Sentence("You should take ketamine.", Role.NEXT_STEP)
    turn = ended(verify, said("Ketamine cured 999 people.", "feder2014.results.1"), bad_step)
    assert bad_step.text not in [s.text for s in turn.sentences]
    assert all(s.verdict is not None and s.verdict.passed for s in turn.sentences)


def test_a_fixed_ending_keeps_its_outcome(verify: Verify) -> None:
    draft = Draft(Outcome.META, "about_tool", (Sentence("I am a computer program.", Role.FIXED),))
    turn = verify(ASKED.having(draft=draft))
    assert (turn.outcome, turn.reason) == (Outcome.META, "about_tool")
    assert turn.dropped == ()


@pytest.mark.parametrize("premise", ["duek2021.c.not_permanent", "joint.c.not_cured"])
def test_a_correction_counts_as_a_lead(verify: Verify, corpus: Corpus, premise: str) -> None:
    later = claim(corpus, "abdallah2021.c.later", Role.POINT)
    turn = ended(verify, claim(corpus, premise, Role.PREMISE), later, outcome=Outcome.ANSWER_CORRECT_PREMISE)
    assert turn.outcome is Outcome.ANSWER_CORRECT_PREMISE


# Properties

ROLES = st.sampled_from([Role.LEAD, Role.PREMISE, Role.POINT, Role.UNKNOWN])
DRAFTS = st.lists(st.tuples(st.sampled_from(sorted(REAL.claims)), ROLES), max_size=12, unique_by=lambda pair: pair[0])


def holds(turn: Turn) -> None:
    """What a reader is shown is cited, known, and passed every check."""
    assert turn.outcome is not None
    assert label_faults(turn.sentences, REAL) == set()
    for sentence in turn.sentences:
        assert sentence.verdict is not None
        assert sentence.verdict.passed
        if sentence.role not in UNCITED_ROLES:
            assert sentence.citations
            assert all(citation in REAL.passages for citation in sentence.citations)
            assert sentence.verdict.support is not None
            doubted = sentence.claim is not None and bool(REAL.claims[sentence.claim].doubt)
            assert sentence.verdict.support >= DOUBT - LEEWAY or doubted
    if turn.outcome in ANSWERED:
        assert any(s.role in {Role.LEAD, Role.PREMISE} for s in turn.sentences)
    else:
        assert not any(s.citations for s in turn.sentences)


@given(DRAFTS)
def test_any_order_of_any_claims(drawn: list[tuple[str, Role]]) -> None:
    sentences = [as_sentence(REAL.claims[identifier], role) for identifier, role in drawn]
    turn = ended(CHECK, *sentences)
    holds(turn)
    if turn.outcome in ANSWERED:
        shown = [s.claim for s in (*turn.sentences, *turn.dropped)]
        assert sorted(map(str, shown)) == sorted(identifier for identifier, _ in drawn)
        assert [s.claim for s in turn.sentences] == [i for i, _ in drawn if i in {s.claim for s in turn.sentences}]


@given(DRAFTS, st.data())
@settings(max_examples=60)
def test_tampered_claims_never_get_through(drawn: list[tuple[str, Role]], data: st.DataObject) -> None:
    def tampered(sentence: Sentence) -> Sentence:
        return data.draw(
            st.sampled_from(
                [
                    sentence,
                    replace(sentence, citations=()),
                    replace(sentence, citations=(*sentence.citations, "nowhere.results.1")),
                    replace(sentence, text=sentence.text + " It helped 99999 people."),
                    replace(sentence, text=sentence.text + " It is a miracle."),
                ]
            )
        )

    turn = ended(CHECK, *(tampered(as_sentence(REAL.claims[i], role)) for i, role in drawn))
    holds(turn)
    assert not any("99999" in s.text or "miracle" in s.text for s in turn.sentences)


# The checks by themselves


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("It is a leading treatment.", "R2"),
        ("It is the best drug.", "R2"),
        ("A breakthrough for many.", "R2"),
        ("It cured them.", "R2"),
        ("It is a game-changer.", "R2"),
        ("The relief outweighs the discomfort.", "R2"),
        ("Side effects are rare.", "R28"),
        ("Side effects are very common.", "R28"),
        ("It usually passes.", "R28"),
        ("It is unlikely to last.", "R28"),
        ("They were 3 times more likely to improve.", "R27"),
        ("Scores were 30% lower.", "R27"),
        ("It halved the scores.", "R27"),
        ("The subjects got ketamine.", "R22"),
        ("PTSD sufferers got ketamine.", "R22"),
        ("You should take it.", "R21"),
        ("We recommend it.", "R21"),
        ("It was 0.5 mg/kg.", "dose"),
        ("It was 50 mg.", "dose"),
        ("It was 50 milligrams.", "dose"),
        ("It was 500 micrograms.", "dose"),
    ],
)
def test_each_problem_of_wording_is_told_once(text: str, rule: str) -> None:
    found = list(problems(text))
    assert len(found) == 1, found
    assert rule in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "That is not proven.",
        "'A leading treatment' is the review's own wording.",
        "The best dose was not fully known.",
        "It has not cured anyone.",
        "The review says that relief often outweighs discomfort.",
        "PTSD scores were lower after ketamine.",
        "You can ask your doctor.",
        "1 infusion over 40 minutes.",
    ],
)
def test_a_denial_or_a_report_is_no_promotion(text: str) -> None:
    assert list(problems(text, "low")) == []


def test_a_denial_excuses_only_its_own_sentence() -> None:
    assert len(list(problems("It is not proven. It is a miracle."))) == 1


def test_sources_of_skips_unknown_passages(corpus: Corpus) -> None:
    sentence = said("x", "feder2014.results.1", "feder2014.limits.1", "nowhere.1", "du2022.results.1")
    assert sources_of(sentence, corpus) == ["feder2014", "du2022"]


def test_rows_are_scored_in_order_and_bad_ones_are_named_not_echoed(scorer: Verifier) -> None:
    good = {"premise": "Rats froze less after the drug.", "claim": "After the drug, rats froze less.", "id": 7}
    other = {"premise": "Rats froze less after the drug.", "claim": "Bananas grow in the south."}
    bad = ["{", "[]", "7", "null", '"x"', '{"premise": "a"}', '{"premise": 1, "claim": "secret"}']
    told: list[str] = []
    found = list(scored([json.dumps(good), *bad, " ", json.dumps(other)], scorer, told.append))
    assert [{k: v for k, v in row.items() if k not in {"score", "supported"}} for row in found] == [good, other]
    assert found[0]["score"] > found[1]["score"]
    assert all(row["supported"] == (row["score"] >= scorer.threshold) for row in found)
    assert [line.split(":")[0] for line in told] == [f"line {number}" for number in range(2, 9)]
    assert "secret" not in "".join(told)


def test_rows_stream_in_batches(scorer: Verifier) -> None:
    read: list[int] = []

    def lines() -> Iterator[str]:
        for number in range(200):
            read.append(number)
            yield json.dumps({"premise": "It rained.", "claim": f"It rained {number} times."})

    rows = scored(lines(), scorer, lambda line: None)
    next(rows)
    assert len(read) < 200
    assert sum(1 for _ in rows) == 199
