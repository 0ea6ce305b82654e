"""Compose: every kind of question gets a draft that verify passes whole: short, plain, both sides, labels said."""

import re
from dataclasses import replace

import pytest

from server.compose.fixed import Fixed
from server.compose.plan import MAX_WORDS, from_study, shortened, with_both_sides, with_labels
from server.compose.plan import sentence as as_sentence
from server.compose.reviewed import Compose
from server.corpus import Brief, Corpus, load_corpora
from server.corpus.labels import ONCE_PER_ANSWER, missing
from server.paths import CORPUS
from server.reading_level import grade, split_sentences, words
from server.turn import ANSWERED, Draft, Hit, Message, Outcome, Question, Reading, Role, Sentence, Turn
from server.verify.stage import Verify
from server.wording import Wording, load_wording

REAL = load_corpora(CORPUS)["ketamine-ptsd"]
VERIFY = Verify(REAL, load_wording())
BRIEFS = REAL.briefs
# Answered without a named study, and for each named study that has something to say about the aspect.
PLAIN = [brief.id for brief in BRIEFS.values() if brief.outcome in ANSWERED and not brief.aspect]
ASPECTS = [brief.id for brief in BRIEFS.values() if brief.aspect]
ENDINGS = [brief.id for brief in BRIEFS.values() if brief.outcome not in ANSWERED]
WORKS = [key for key in REAL.sources if key != "review"]
OTHER_SIDE = {"no_difference", "harm", "mixed"}
MAX_LEAD = 25
MAX_GRADE = 9.0


@pytest.fixture(scope="module")
def compose(corpus: Corpus, wording: Wording) -> Compose:
    return Compose(corpus, wording)


def turn_of(brief: str | None, *studies: str, country: str | None = "US", **reading: object) -> Turn:
    question = Question((Message("user", "A question?"),), country, topic=REAL.topic.id)
    read = Reading(brief=brief, score=0.9, probability=0.9, studies=studies, query="A question about it?")
    return Turn(question, reading=replace(read, **reading))  # type: ignore[arg-type]


def draft_of(compose: Compose, brief: str | None, *studies: str, country: str | None = "US") -> Draft:
    draft = compose(turn_of(brief, *studies, country=country)).draft
    assert draft is not None
    return draft


def as_answer(draft: Draft) -> Turn:
    """The draft after verify: an answer from which nothing was dropped."""
    turn = VERIFY(turn_of(None).having(draft=draft))
    assert [s.text for s in turn.dropped] == []
    assert turn.outcome is draft.outcome
    assert turn.sentences != ()
    return turn


def directions(draft: Draft) -> set[str]:
    return {REAL.claims[s.claim].direction for s in draft.sentences if s.claim}


def says(draft: Draft) -> str:
    return " ".join(s.text for s in draft.sentences)


def assert_short_and_plain(draft: Draft) -> None:
    text = says(draft)
    assert sum(len(words(s.text)) for s in draft.sentences) <= MAX_WORDS
    level = grade(text, (*REAL.topic.drug_names, *REAL.topic.study_names))
    assert level is None or level <= MAX_GRADE, f"grade {level:.1f}: {text}"


# Every kind of question that is answered


@pytest.mark.parametrize("identifier", PLAIN)
def test_every_answer_passes_verify_whole(compose: Compose, identifier: str) -> None:
    draft = draft_of(compose, identifier)
    assert draft.outcome is BRIEFS[identifier].outcome
    assert draft.reason is None
    assert draft.card == BRIEFS[identifier].card
    as_answer(draft)


@pytest.mark.parametrize("identifier", PLAIN)
def test_every_answer_is_short_and_plain(compose: Compose, identifier: str) -> None:
    assert_short_and_plain(draft_of(compose, identifier))


@pytest.mark.parametrize("identifier", PLAIN)
def test_every_answer_opens_with_its_lead_in_short_sentences(compose: Compose, identifier: str) -> None:
    brief = BRIEFS[identifier]
    first = draft_of(compose, identifier).sentences[0]
    assert first.role is (Role.PREMISE if brief.premise else Role.LEAD)
    assert first.claim == (brief.premise or brief.lead)
    for sentence in split_sentences(first.text):
        assert len(words(sentence)) <= MAX_LEAD, sentence


@pytest.mark.parametrize("identifier", PLAIN)
def test_roles_stand_in_reading_order(compose: Compose, identifier: str) -> None:
    order = [Role.PREMISE, Role.LEAD, Role.POINT, Role.UNKNOWN, Role.FIXED, Role.NEXT_STEP]
    places = [order.index(s.role) for s in draft_of(compose, identifier).sentences]
    assert places == sorted(places)


@pytest.mark.parametrize("identifier", PLAIN)
def test_no_claim_is_said_twice(compose: Compose, identifier: str) -> None:
    claims = [s.claim for s in draft_of(compose, identifier).sentences if s.claim]
    assert len(claims) == len(set(claims))


@pytest.mark.parametrize("identifier", PLAIN)
def test_every_answer_ends_with_one_next_step(compose: Compose, identifier: str) -> None:
    steps = [s for s in draft_of(compose, identifier).sentences if s.role is Role.NEXT_STEP]
    assert len(steps) == (1 if BRIEFS[identifier].next_step else 0)


@pytest.mark.parametrize("identifier", PLAIN)
def test_no_placeholder_is_left(compose: Compose, identifier: str) -> None:
    for country in ("US", "GB", "IN", "FR", None):
        assert not re.search(r"[{}]", says(draft_of(compose, identifier, country=country)))


@pytest.mark.parametrize("identifier", PLAIN)
def test_whatever_speaks_of_benefit_shows_the_other_side(compose: Compose, identifier: str) -> None:
    """R4, for every answer about whether it works: benefit never stands alone."""
    draft = draft_of(compose, identifier)
    works = identifier.startswith("works.") or any(
        "works" in REAL.claims[s.claim].topics for s in draft.sentences if s.claim
    )
    if works and "benefit" in directions(draft):
        assert directions(draft) & OTHER_SIDE


@pytest.mark.parametrize("identifier", [i for i in PLAIN if i.startswith("works.")])
def test_every_works_answer_tells_what_did_not_work(compose: Compose, identifier: str) -> None:
    brief = BRIEFS[identifier]
    if identifier not in {"works.civilians", "works.sessions"}:  # who took part, how often: no finding is told
        assert directions(draft_of(compose, brief.id)) & OTHER_SIDE


@pytest.mark.parametrize("identifier", PLAIN)
def test_a_conflict_is_shown_only_with_one_of_its_sides(compose: Compose, identifier: str) -> None:
    draft = draft_of(compose, identifier)
    if draft.conflict is not None:
        sources = {s for item in draft.sentences if item.claim for s in REAL.claims[item.claim].sources}
        assert {side.source for side in REAL.conflicts[draft.conflict].sides} & sources
        assert draft.conflict == BRIEFS[identifier].conflict


# Named studies


@pytest.mark.parametrize("identifier", ASPECTS)
@pytest.mark.parametrize("study", WORKS)
def test_every_aspect_of_every_work_is_answered_or_declined(compose: Compose, identifier: str, study: str) -> None:
    draft = draft_of(compose, identifier, study)
    turn = VERIFY(turn_of(None).having(draft=draft))
    assert [s.text for s in turn.dropped] == []
    assert turn.outcome is draft.outcome
    assert_short_and_plain(draft)
    if draft.outcome in ANSWERED:
        assert draft.sentences[0].role is Role.LEAD
        lead = draft.sentences[0].claim
        assert lead is not None
        assert study in REAL.claims[lead].sources
        assert draft.outcome is BRIEFS[identifier].outcome
    else:
        assert (draft.outcome, draft.reason) == (Outcome.DECLINE_REDIRECT, "not_in_sources")


@pytest.mark.parametrize("study", WORKS)
def test_the_result_of_a_named_study_shows_both_sides(compose: Compose, study: str) -> None:
    draft = draft_of(compose, "study.result", study)
    works = any("works" in REAL.claims[s.claim].topics for s in draft.sentences if s.claim)
    if works and "benefit" in directions(draft):
        assert directions(draft) & OTHER_SIDE


@pytest.mark.parametrize("identifier", ASPECTS)
def test_the_review_by_name_gets_the_general_answer(compose: Compose, identifier: str) -> None:
    general = BRIEFS[identifier].without_study
    assert general is not None
    draft = draft_of(compose, identifier, "review")
    assert [s.claim for s in draft.sentences] == [s.claim for s in draft_of(compose, general).sentences]


def test_a_general_question_about_a_study_that_it_cites_stays_general(compose: Compose) -> None:
    general = draft_of(compose, "works.overall")
    assert [s.text for s in draft_of(compose, "works.overall", "feder2014").sentences] == [
        s.text for s in general.sentences
    ]


def test_a_general_question_about_another_study_is_about_that_study(compose: Compose) -> None:
    draft = draft_of(compose, "works.overall", "belujon2014")
    assert draft.sentences[0].claim == "belujon2014.c.result"


def test_a_work_that_was_not_found_is_never_described(compose: Compose) -> None:
    for identifier in ASPECTS:
        draft = draft_of(compose, identifier, "liu2024")
        assert (draft.outcome, draft.reason) == (Outcome.DECLINE_REDIRECT, "not_in_sources")
        cited = {REAL.passages[p].source for s in draft.sentences for p in s.citations}
        assert cited <= {"review", "liu2024"}


def test_an_aspect_that_a_summary_lacks_is_told_with_the_study_s_name(compose: Compose) -> None:
    draft = draft_of(compose, "study.dropout", "duek2021")
    assert draft.outcome is Outcome.DECLINE_REDIRECT
    assert draft.sentences[0].role is Role.FIXED
    assert "Duek" in draft.sentences[0].text


def test_two_studies_are_both_told_of(corpus: Corpus) -> None:
    body = from_study(BRIEFS["study.people"], ["feder2014", "albott2018"], corpus)
    assert {s for item in body if item.claim for s in corpus.claims[item.claim].sources} == {"feder2014", "albott2018"}
    assert [item.role for item in body] == [Role.LEAD] + [Role.POINT] * (len(body) - 1)


# Fixed endings and questions of no known kind


@pytest.mark.parametrize("identifier", ENDINGS)
def test_every_fixed_ending_passes_verify_whole(compose: Compose, identifier: str) -> None:
    brief = BRIEFS[identifier]
    draft = draft_of(compose, identifier)
    turn = VERIFY(turn_of(None).having(draft=draft))
    assert turn.dropped == ()
    assert (turn.outcome, turn.reason, turn.card) == (brief.outcome, brief.reason, brief.card)
    assert draft.sentences or draft.card
    assert_short_and_plain(draft)
    assert not re.search(r"[{}]", says(draft))


@pytest.mark.parametrize("identifier", [i for i in ENDINGS if BRIEFS[i].coverage])
def test_a_silence_names_its_subject_and_cites_nothing(compose: Compose, identifier: str) -> None:
    draft = draft_of(compose, identifier)
    for subject in BRIEFS[identifier].coverage:
        telling = [s for s in draft.sentences if REAL.subjects[subject].name in s.text]
        assert telling
        assert all(s.role is Role.FIXED and not s.citations for s in telling)


def test_without_a_kind_near_claims_answer(compose: Compose) -> None:
    hits = tuple(Hit(c, "claim", 0.1, 0.9) for c in ("feder2014.c.result", "du2022.c.early", "feder2014.c.people"))
    draft = compose(turn_of(None).having(hits=hits)).draft
    assert draft is not None
    assert draft.outcome is Outcome.ANSWER
    assert draft.sentences[0].claim == "feder2014.c.result"
    as_answer(draft)


def test_a_near_claim_of_benefit_gets_the_other_side_and_its_labels(compose: Compose) -> None:
    hits = (Hit("feder2014.c.result", "claim", 0.1, 0.9),)
    draft = compose(turn_of(None).having(hits=hits)).draft
    assert draft is not None
    assert directions(draft) & OTHER_SIDE
    as_answer(draft)


def test_far_claims_do_not_answer(compose: Compose) -> None:
    far = REAL.topic.claim_threshold - 0.01
    hits = (Hit("feder2014.c.result", "claim", 0.9, far), Hit("feder2014.results.1", "passage", 0.9, 0.99))
    draft = compose(turn_of(None).having(hits=hits)).draft
    assert draft is not None
    assert (draft.outcome, draft.reason) == (Outcome.DECLINE_REDIRECT, "not_in_sources")
    assert not any(s.citations for s in draft.sentences)


@pytest.mark.parametrize("identifier", REAL.claims)
def test_every_claim_may_answer_by_itself(compose: Compose, identifier: str) -> None:
    """Any one claim as the only near one: what is added for labels and both sides passes verify, too."""
    draft = compose(turn_of(None).having(hits=(Hit(identifier, "claim", 0.1, 0.9),))).draft
    assert draft is not None
    as_answer(draft)
    assert_short_and_plain(draft)


def test_a_known_silence_is_named_without_a_kind(compose: Compose) -> None:
    draft = compose(turn_of(None, subject="nightmares")).draft
    assert draft is not None
    assert "nightmares" in draft.sentences[0].text
    assert draft.reason == "not_in_sources"


@pytest.mark.parametrize(
    ("query", "outcome"), [("asdf", Outcome.CLARIFY), ("What is the capital of France?", Outcome.OFF_TOPIC)]
)
def test_out_of_scope_is_vague_or_off_topic(compose: Compose, query: str, outcome: Outcome) -> None:
    draft = compose(turn_of(None, in_scope=False, query=query)).draft
    assert draft is not None
    assert draft.outcome is outcome


def test_a_named_study_without_a_kind_is_told_of(compose: Compose) -> None:
    draft = draft_of(compose, None, "feder2014")
    assert draft.sentences[0].claim == "feder2014.c.result"


def test_compose_needs_a_reading(compose: Compose) -> None:
    with pytest.raises(ValueError, match="reading"):
        compose(turn_of(None).having(reading=None))


# The plan's parts


def test_labels_are_added_once_and_before_the_unknown(corpus: Corpus) -> None:
    body = [
        as_sentence(corpus.claims["abdallah2021.c.result"], Role.LEAD),
        as_sentence(corpus.claims["joint.c.lasting_unknown"], Role.UNKNOWN),
    ]
    whole = with_labels(body, corpus)
    assert whole[0] is body[0]
    assert whole[-1] is body[1]
    said = " ".join(s.text for s in whole if s.claim and "abdallah2021" in corpus.claims[s.claim].sources)
    assert missing(said, corpus.sources["abdallah2021"], ONCE_PER_ANSWER) == []
    assert with_labels(whole, corpus) == whole


def test_the_other_side_is_added_only_where_it_lacks(corpus: Corpus) -> None:
    alone = [as_sentence(corpus.claims["feder2014.c.result"], Role.LEAD)]
    both = with_both_sides(alone, corpus)
    assert [s.claim for s in both] == ["feder2014.c.result", "abdallah2021.c.result"]
    assert with_both_sides(both, corpus) == both
    nothing = [as_sentence(corpus.claims["feder2014.c.people"], Role.LEAD)]
    assert with_both_sides(nothing, corpus) == nothing


def test_shortening_keeps_the_lead_the_step_and_what_is_needed(corpus: Corpus) -> None:
    points = [as_sentence(c, Role.POINT) for c in list(corpus.claims.values())[:12]]
    lead = as_sentence(corpus.claims["joint.c.mixed"], Role.LEAD)
    step = Sentence("You can ask the team that treats you what this means for you.", Role.NEXT_STEP)
    needed = points[-1].claim
    assert needed is not None
    short = shortened([lead, *points, step], frozenset({needed}))
    assert sum(len(words(s.text)) for s in short) <= MAX_WORDS
    assert short[0] is lead
    assert short[-1] is step
    assert needed in {s.claim for s in short}
    assert shortened([lead, step], frozenset()) == [lead, step]


@pytest.mark.parametrize("country", ["US", "GB", "uk", "IE", "CA", "AU", "NZ", "IN", "FR", None])
def test_fixed_sentences_are_filled_for_every_country(wording: Wording, corpus: Corpus, country: str | None) -> None:
    fixed = Fixed(corpus, wording)
    text = fixed.next_step("help_line_end", country).text
    assert wording.crisis(country) in text
    assert "{" not in text
    own = fixed.sentence("off_topic", country)
    assert own.role is Role.FIXED
    assert "ketamine and PTSD" in own.text


def test_an_unknown_fixed_sentence_is_an_error(wording: Wording, corpus: Corpus) -> None:
    with pytest.raises(KeyError):
        Fixed(corpus, wording).sentence("nowhere", "US")


def test_a_topic_s_own_fixed_sentence_comes_first(wording: Wording, corpus: Corpus) -> None:
    topic = corpus.topic.model_copy(update={"fixed": {"off_topic": "Only {drug}, please."}})
    assert Fixed(replace(corpus, topic=topic), wording).sentence("off_topic", "US").text == "Only ketamine, please."


def test_every_brief_is_one_of_the_three_groups() -> None:
    assert sorted([*PLAIN, *ASPECTS, *ENDINGS]) == sorted(BRIEFS)
    assert all(isinstance(brief, Brief) for brief in BRIEFS.values())
