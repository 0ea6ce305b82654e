"""Labels: read strictly, given blind, kept with their disagreements, and told for what they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.hallucination import Assessor, labelled_pairs
from evals.labels import LabelsError, agreement, read_labels
from evals.labels.agreement import kappa
from evals.labels.draw import PLANTED, add, for_labelling, shuffled
from evals.labels.label import enrol, label
from evals.labels.read import FOLDER, LABELS, Drawn, reader_file
from evals.pairs import distinct, pair, pair_key, reviewed_pairs
from evals.systems.reply import Reply, Said
from server.corpus import Corpus


def drawn(corpus: Corpus, *claims: str) -> list[Drawn]:
    found = []
    for name in claims:
        claim = corpus.claims[name]
        key = pair_key(claim.text, [corpus.evidence(p) for p in claim.passages])
        found.append(Drawn(key=key, sentence=claim.text, passages=claim.passages, origin="reviewed"))
    return found


@pytest.fixture
def folder(tmp_path: Path, corpus: Corpus) -> Path:
    (tmp_path / "guidelines.md").write_text("Read with care.", encoding="utf-8")
    names = list(corpus.claims)[:4]
    assert add(drawn(corpus, *names), {}, tmp_path / "sentences.jsonl") == 4
    return tmp_path


def give(folder: Path, reader: str, labels: list[str], person: bool = False) -> None:
    enrol(reader, person, folder)
    keys = list(read_labels(folder).drawn)
    rows = [{"key": key, "label": one} for key, one in zip(keys, labels, strict=False)]
    reader_file(folder, reader).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_two_readers_that_agree_give_the_label_and_a_third_reading_settles(folder: Path) -> None:
    give(folder, "one", ["supported", "unsupported", "no_claim", "cannot_tell"])
    give(folder, "two", ["supported", "supported", "no_claim", "cannot_tell"])
    keys = list(read_labels(folder).drawn)
    assert [read_labels(folder).bad(key) for key in keys] == [False, None, False, None]
    settled = {"key": keys[1], "label": "unsupported", "why": "a number is missing"}
    (folder / "settled.jsonl").write_text(json.dumps(settled) + "\n", encoding="utf-8")
    labelled = read_labels(folder)
    assert [labelled.bad(key) for key in keys] == [False, True, False, None]
    assert labelled.given["two"][keys[1]].label == "supported"


def test_one_reader_alone_gives_no_label(folder: Path) -> None:
    give(folder, "one", ["supported"] * 4)
    assert read_labels(folder).gold == {}


def test_kappa_is_cohens(folder: Path) -> None:
    give(folder, "one", ["supported", "unsupported", "unsupported", "supported"])
    give(folder, "two", ["supported", "unsupported", "supported", "supported"], person=True)
    (found,) = agreement(read_labels(folder))
    # Observed 3/4; expected by chance 1/2 * 1/4 + 1/2 * 3/4.
    assert found.kappa_binary == pytest.approx((0.75 - 0.5) / 0.5)
    assert (found.sentences, found.same, found.persons) == (4, 3, False)
    assert kappa(["a"], ["a"]) is None


def test_a_changed_passage_makes_its_labels_invalid(folder: Path, corpus: Corpus) -> None:
    from dataclasses import replace

    labelled = read_labels(folder)
    assert len(labelled.still_valid(corpus)) == 4
    first = next(iter(labelled.drawn.values())).passages[0]
    changed = {**corpus.passages, first: replace(corpus.passages[first], text="Something else.")}
    valid = labelled.still_valid(replace(corpus, passages=changed))
    assert all(first not in one.passages for one in valid.values())
    assert len(valid) < 4


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"key": "x", "label": "supported"}', "no such sentence"),
        ('{"key": "x", "label": "maybe"}', r"reader-one\.jsonl:1: label"),
        ('{"key": "x", "labl": "supported"}', r"reader-one\.jsonl:1"),
        ("{", "not JSON"),
    ],
)
def test_a_broken_label_file_names_its_line(line: str, says: str, folder: Path) -> None:
    enrol("one", True, folder)
    reader_file(folder, "one").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(LabelsError, match=says):
        read_labels(folder)


def test_a_reader_s_name_must_fit_a_file_and_keep_its_kind(folder: Path) -> None:
    with pytest.raises(LabelsError, match="letters"):
        enrol("../x", True, folder)
    enrol("ward-3", True, folder)
    with pytest.raises(LabelsError, match="a person"):
        enrol("ward-3", False, folder)


def answers(*keys: str) -> Iterator[str]:
    yield from keys


def test_labelling_shows_passages_and_sentence_only_and_goes_on_where_it_stopped(folder: Path, corpus: Corpus) -> None:
    shown: list[str] = []
    enrol("ward", True, folder)
    first = answers("s", "?", "g", "u", "too sure", "q")
    assert label("ward", corpus, shown.append, lambda text: next(first), folder) == 2
    given = read_labels(folder).given["ward"]
    assert [one.label for one in given.values()] == ["supported", "unsupported"]
    assert [one.why for one in given.values()] == ["", "too sure"]
    text = "\n".join(shown)
    assert text.count("Read with care.") == 2
    assert "origin" not in text
    assert not any(name in text for name in LABELS)
    rest = answers("n", "", "c", "")
    assert label("ward", corpus, shown.append, lambda text: next(rest), folder) == 2
    assert label("ward", corpus, shown.append, lambda text: "q", folder) == 0


def test_drawing_takes_all_that_is_finite_a_sample_of_the_rest_and_nothing_twice(
    corpus: Corpus, tmp_path: Path
) -> None:
    said = tuple(Said(f"Sentence number {n}.", (), ("feder2014.results.1",)) for n in range(30))
    replies = {"rag": [("A-01", Reply(False, said, "", 1.0))], "plaincite": [("A-01", Reply(False, said, "", 1.0))]}
    found = for_labelling(replies, corpus, 10)
    origins = [one.origin for one in found]
    assert origins.count("rag") == 10
    assert origins.count("plaincite") == 0
    assert origins.count("reviewed") == len(reviewed_pairs(corpus))
    assert origins.count(PLANTED) == 120
    path = tmp_path / "sentences.jsonl"
    added = add(found, {}, path)
    assert added == len({one.key for one in found})
    known = {one.key: one for one in found}
    assert add(found, known, path) == 0
    assert [one.origin for one in shuffled(found)] != origins


def test_pairs_are_distinct_by_sentence_and_passages_and_counted_as_shown(corpus: Corpus) -> None:
    one = Said(
        "A sentence.", ("feder2014.results.1", "feder2014.limits.1"), ("feder2014.results.1", "feder2014.limits.1")
    )
    turned = Said("A sentence.", one.cited[::-1], one.evidence[::-1])
    other = Said("A sentence.", ("feder2014.results.1",), ("feder2014.results.1", "nobody.1"))
    found = list(distinct([one, turned, other], corpus).values())
    assert [p.shown for p in found] == [2, 1]
    assert found[1].passages == ("feder2014.results.1",)
    assert found[0].cluster == "feder2014"
    assert pair(Said("x", (), ()), corpus).cluster == "none"


def test_our_labels_are_whole_blind_twice_given_and_settled(corpus: Corpus) -> None:
    labelled = read_labels()
    assert len(labelled.gold) >= 400
    assert len(labelled.given) >= 2
    for name, given in labelled.given.items():
        assert set(given) == set(labelled.drawn), name
    disagreed = {key for key in labelled.drawn if len({str(given[key].label) for given in labelled.given.values()}) > 1}
    assert disagreed == set(labelled.settled)
    (found,) = agreement(labelled)
    assert found.kappa is not None
    assert not found.persons
    for origin in ("reviewed", "rag", "no_retrieval", "planted"):
        assert labelled_pairs(labelled, corpus, {origin}), origin


def test_who_read_is_said_in_so_many_words() -> None:
    told = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert "language models" in told
    assert "No clinician and no patient" in told
    assert "upper bound" in told


def test_an_answer_counts_only_where_all_its_sentences_were_judged(corpus: Corpus) -> None:
    said = [Said(f"Sentence {n}.", (), ("feder2014.results.1",)) for n in range(3)]
    keys = [pair(one, corpus).key for one in said]
    assessor: Any = Assessor.__new__(Assessor)
    assessor.corpus = corpus
    replies = [Reply(False, tuple(said[:2]), "", 1.0), Reply(False, tuple(said[1:]), "", 1.0)]
    found = assessor._answers(replies, {keys[0]: None, keys[1]: True, keys[2]: False})
    assert (found.rate, found.judged, found.unjudged) == (1.0, 1, 1)
