"""Retrieve: reciprocal rank fusion, keyword search, and both together over the real index."""

import pytest
from conftest import TOPIC, ask
from hypothesis import given
from hypothesis import strategies as st

from server.corpus import Corpus
from server.embedding import Embedder
from server.engine import Engine
from server.index import Index
from server.retrieve.fuse import K, reciprocal_rank
from server.retrieve.keyword import Keyword
from server.retrieve.stage import KEPT, Retrieve
from server.turn import Message, Outcome, Question, Reading, Turn

TEXTS = {
    "rats": "Rats given ketamine froze less to the feared cue.",
    "veterans": "158 veterans had eight infusions of ketamine or placebo.",
    "pain": "People with chronic pain had ketorolac or ketamine.",
    "bladder": "Nothing about the bladder is reported.",
}


# Fusion


def test_fusion_adds_the_reciprocal_of_60_and_the_rank() -> None:
    scores = reciprocal_rank([["a", "b", "c"], ["b", "d"]])
    assert K == 60
    assert scores == {
        "b": pytest.approx(1 / 62 + 1 / 61),
        "a": pytest.approx(1 / 61),
        "d": pytest.approx(1 / 62),
        "c": pytest.approx(1 / 63),
    }
    assert list(scores) == ["b", "a", "d", "c"]


def test_ties_keep_the_order_in_which_they_came() -> None:
    assert list(reciprocal_rank([["a", "b"], ["b", "a"]])) == ["a", "b"]
    assert list(reciprocal_rank([["a"], ["b"]])) == ["a", "b"]


def test_nothing_fuses_to_nothing() -> None:
    assert reciprocal_rank([]) == {}
    assert reciprocal_rank([[], []]) == {}
    assert list(reciprocal_rank([[], ["a"]])) == ["a"]


RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4)


@given(RANKINGS)
def test_fusion_loses_nobody_and_is_sorted(rankings: list[list[str]]) -> None:
    scores = reciprocal_rank(rankings)
    assert set(scores) == {identifier for ranking in rankings for identifier in ranking}
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert all(0 < score <= len(rankings) / (K + 1) + 1e-12 for score in scores.values())


@given(RANKINGS, st.sampled_from("abcdefgh"))
def test_another_vote_never_hurts(rankings: list[list[str]], name: str) -> None:
    before = reciprocal_rank(rankings).get(name, 0.0)
    assert reciprocal_rank([*rankings, [name]])[name] > before


# Keywords


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("rats", "rats"),
        ("Did the RAT freeze?", "rats"),
        ("veteran", "veterans"),
        ("ketorolac", "pain"),
        ("painful", "pain"),
        ("bladders", "bladder"),
        ("infusion", "veterans"),
    ],
)
def test_keywords_find_by_stem(query: str, first: str) -> None:
    assert Keyword(TEXTS).search(query, 4)[0] == first


@pytest.mark.parametrize("query", ["", "   ", "the of and", "zebra", "???", "ééé"])
def test_without_a_known_word_nothing_is_found(query: str) -> None:
    assert Keyword(TEXTS).search(query, 4) == []


def test_at_most_k_are_found_and_each_holds_a_word() -> None:
    keyword = Keyword(TEXTS)
    assert set(keyword.search("ketamine", 10)) == {"rats", "veterans", "pain"}
    assert len(keyword.search("ketamine", 2)) == 2


@given(st.text(max_size=60))
def test_no_query_breaks_the_keyword_search(query: str) -> None:
    assert set(Keyword(TEXTS).search(query, 4)) <= set(TEXTS)


# The stage


@pytest.fixture(scope="module")
def retrieve(corpus: Corpus, index: Index) -> Retrieve:
    return Retrieve(corpus, index)


def reading(embedder: Embedder, text: str, brief: str | None = None) -> Reading:
    return Reading(brief=brief, score=0.9, probability=0.9, query=text, vector=embedder.encode([text])[0])


def turn(read: Reading | None) -> Turn:
    return Turn(Question((Message("user", read.query if read else "?"),), topic=TOPIC), reading=read)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Did ketamine lower PTSD scores compared with midazolam after 24 hours?", "feder2014"),
        ("rats unlearn fear mTORC1", "girgenti2017"),
        ("ketorolac pain trial", "dadabayev2020"),
        ("dopamine cells in rats", "belujon2014"),
        ("15 veterans in remission, relapse by 41 days", "albott2018"),
    ],
)
def test_claims_and_passages_are_found(
    retrieve: Retrieve, embedder: Embedder, corpus: Corpus, text: str, source: str
) -> None:
    hits = retrieve(turn(reading(embedder, text))).hits
    for kind in ("claim", "passage"):
        own = [hit for hit in hits if hit.kind == kind]
        assert 1 <= len(own) <= KEPT
        assert [hit.score for hit in own] == sorted((hit.score for hit in own), reverse=True)
        assert len({hit.id for hit in own}) == len(own)
        sources = [corpus.claims[h.id].sources if kind == "claim" else (corpus.passages[h.id].source,) for h in own[:3]]
        assert any(source in named for named in sources), own[:3]
    assert all(-1.001 <= hit.similarity <= 1.001 for hit in hits)


def test_a_claim_s_own_words_find_it_first(retrieve: Retrieve, embedder: Embedder, corpus: Corpus) -> None:
    claims = list(corpus.claims.values())[::10]
    for claim in claims:
        hits = [hit for hit in retrieve(turn(reading(embedder, claim.text))).hits if hit.kind == "claim"]
        assert claim.id in {hit.id for hit in hits[:2]}, claim.id
        assert max(hit.similarity for hit in hits) == pytest.approx(1.0, abs=1e-3)


def test_what_only_the_keyword_search_found_has_no_similarity(retrieve: Retrieve, embedder: Embedder) -> None:
    split = Reading(
        brief=None,
        score=0.0,
        probability=0.0,
        query="mTORC1 rapamycin",
        vector=embedder.encode(["the weather in Paris"])[0],
    )
    found = {hit.id: hit.similarity for hit in retrieve.search(split, "passage")}
    assert found["girgenti2017.results.2"] == -1.0
    assert max(found.values()) > -1.0


def test_fixed_endings_search_nothing(retrieve: Retrieve, embedder: Embedder) -> None:
    for brief in ("meta.privacy", "off_topic", "harmful.buy", "harms.bladder"):
        assert retrieve(turn(reading(embedder, "Is this private?", brief))).hits == ()


def test_answers_and_unknown_kinds_are_searched_for(retrieve: Retrieve, embedder: Embedder) -> None:
    for brief in (None, "works.overall", "me.should_i", "no.such.kind"):
        assert retrieve(turn(reading(embedder, "Does ketamine help with PTSD?", brief))).hits


def test_without_a_reading_the_turn_is_unchanged(retrieve: Retrieve) -> None:
    before = turn(None)
    assert retrieve(before) is before


def test_the_whole_path_times_its_stages(engine: Engine) -> None:
    answered = ask(engine, "Does ketamine help with PTSD?")
    assert answered.outcome is Outcome.ANSWER
    assert list(answered.timings_ms) == ["screen", "understand", "retrieve", "compose", "verify", "total"]
    assert answered.hits
