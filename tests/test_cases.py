"""Cases: one typed reader, every category covered, every case with its provenance, and a lock box that stays shut."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evals.cases import CATEGORIES, CasesError, lockbox_cases, log_look, looks, open_cases, read_cases
from evals.cases.lockbox import MAX_LOOKS
from evals.cases.read import check_known
from evals.tasks.lockbox import LockboxTask
from evals.tasks.verify import Kind, planted_errors
from server.corpus import Corpus

GOOD: dict[str, Any] = {
    "id": "efficacy-90",
    "category": "efficacy",
    "answerable": "yes",
    "turns": ["Does it help?"],
    "expected_behaviour": "answer",
    "provenance": "a test's own",
}


def write(path: Path, *cases: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


def test_a_whole_case_is_read(tmp_path: Path) -> None:
    (case,) = read_cases([write(tmp_path / "a.jsonl", GOOD | {"also": ["answer_with_card"]})])
    assert case.messages == ("Does it help?",)
    assert {outcome.value for outcome in case.accepted} == {"answer", "answer_with_card"}
    assert case.intents is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"must_sya": ["x"]}, "unknown field 'must_sya'"),
        ({"provenance": " "}, "provenance"),
        ({"category": "efficacies"}, "category"),
        ({"expected_behaviour": "maybe"}, "expected_behaviour"),
        ({"traits": ["planted"]}, "planted"),
        ({"planted": {"passage": "feder2014.results.1", "text": "x"}}, "planted"),
        ({"must_say": ["re:("]}, "not a regular expression"),
        ({"turns": ["  "]}, "empty message"),
        ({"turns": []}, "text or turns"),
    ],
)
def test_a_broken_case_names_file_line_and_field(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "broken.jsonl", GOOD, GOOD | {"id": "efficacy-91"} | change)
    with pytest.raises(CasesError) as told:
        read_cases([path])
    assert str(told.value).startswith("broken.jsonl:2: ")
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_a_line_that_is_no_json_and_an_id_used_twice_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "b.jsonl"
    broken.write_text(json.dumps(GOOD) + "\n{\n", encoding="utf-8")
    with pytest.raises(CasesError, match=r"b\.jsonl:2: not JSON"):
        read_cases([broken])
    with pytest.raises(CasesError, match=r"c\.jsonl:1: id: 'efficacy-90' is taken"):
        read_cases([write(tmp_path / "a.jsonl", GOOD), write(tmp_path / "c.jsonl", GOOD)])
    with pytest.raises(CasesError, match="cannot be read"):
        read_cases([tmp_path / "missing.jsonl"])


def test_names_that_the_corpus_does_not_hold_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    for field, value in (("passages", ["feder2014.results.77"]), ("studies", ["nobody2020"]), ("intents", ["no.kind"])):
        cases = read_cases([write(tmp_path / f"{field}.jsonl", GOOD | {field: value})])
        with pytest.raises(CasesError, match=f"efficacy-90: {field}: '{value[0]}'"):
            check_known(cases, corpus)


def test_our_cases_cover_every_category_and_the_corpus_knows_what_they_name(corpus: Corpus) -> None:
    cases = open_cases()
    check_known(cases, corpus)
    own = [case for case in cases if case.provenance.startswith("invented")]
    assert len(cases) - len(own) == 96
    assert len(own) >= 150
    counts = Counter(case.category for case in own)
    assert set(counts) == set(CATEGORIES)
    assert min(counts.values()) >= 4
    traits = Counter(trait for case in own for trait in case.traits)
    for trait in ("typos", "slang", "dialogue", "false_premise", "pushback", "injection", "planted", "reordered"):
        assert traits[trait] >= 5, trait
    assert all(len(case.messages) >= 3 for case in own if "pushback" in case.traits)


def test_a_fifth_of_the_new_cases_is_sealed(corpus: Corpus) -> None:
    sealed = lockbox_cases()
    check_known(sealed, corpus)
    own = [case for case in open_cases() if case.provenance.startswith("invented")]
    assert len(sealed) / (len(sealed) + len(own)) >= 0.2
    assert {case.category for case in sealed} == set(CATEGORIES)
    assert not {case.id for case in sealed} & {case.id for case in own}


def test_a_look_at_the_lock_box_is_logged_and_the_fourth_refused(tmp_path: Path) -> None:
    log = tmp_path / "looks.jsonl"
    assert not looks(log).spent
    for number in range(1, MAX_LOOKS + 1):
        assert log_look("0.1", f"reason {number}", log).count == number
    assert looks(log).spent
    assert [json.loads(line)["why"] for line in log.read_text().splitlines()] == ["reason 1", "reason 2", "reason 3"]
    with pytest.raises(CasesError, match="write new cases"):
        log_look("0.1", "once more", log)


def test_the_lock_box_gives_counts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("lb-x-01", True, True, False), ("lb-x-02", False, True, True), ("lb-x-03", True, False, False)]
    monkeypatch.setattr("evals.tasks.lockbox.results", lambda bench: rows)
    task: Any = LockboxTask()
    output = task.generate(None, None)
    assert output == {
        "cases": 3,
        "safety_right": 1,
        "safety": 2,
        "other_right": 1,
        "other": 1,
        "safety_without_card": 1,
    }
    told = task.summary(None, [task.score(None, None, output)])
    assert "lb-x" not in json.dumps(told)
    assert (told["outcome"]["held"], told["outcome"]["of"]) == (2, 3)


def test_planted_errors_are_of_every_kind_and_differ_from_their_claim(corpus: Corpus) -> None:
    planted = planted_errors()
    counts = Counter(one.kind for one in planted.values())
    assert set(counts) == set(Kind.__args__)  # type: ignore[attr-defined]
    assert min(counts.values()) >= 10
    for one in planted.values():
        claim = corpus.claims[one.claim]
        assert (one.text, one.passages) != (claim.text, claim.passages), one.id
        assert all(passage in corpus.passages for passage in one.passages), one.id
