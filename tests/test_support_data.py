"""Pairs for the support verifier: read strictly, never shared with a test file, and true to how they were made."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.training import support_data as data
from evals.training.support_data import OWN, Pair, PairsError
from evals.training.support_made import fill, made


def pair(passage: str = "Rats froze less.", claim: str = "Rats were calmer.", source: str = "own") -> Pair:
    return Pair(source, passage, claim, True, "plain")


def row(**changes: object) -> str:
    whole = {"source": "made", "premise": "It rained.", "claim": "It was wet.", "label": "supported"}
    return json.dumps({**whole, **changes})


def own_row(**changes: object) -> str:
    claims = [{"text": "It was wet.", "label": "s", "kind": "plain"}]
    whole = {"id": "a-1", "topic": "rain", "heading": "Weather. Report", "passage": "It rained.", "claims": claims}
    return json.dumps({**whole, **changes})


# Reading


def test_a_public_row_is_a_pair(tmp_path: Path) -> None:
    file = tmp_path / "made.jsonl"
    file.write_text(row(fine="yes") + "\n\n" + row(label="not_supported") + "\n")
    assert data.public(file) == [
        Pair("made", "It rained.", "It was wet.", True, "yes"),
        Pair("made", "It rained.", "It was wet.", False, "not_supported"),
    ]


def test_an_own_passage_stands_under_its_heading(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(own_row() + "\n" + own_row(heading="") + "\n")
    assert [one.passage for one in data.own(file)] == ["[Weather. Report] It rained.", "It rained."]
    assert {one.topic for one in data.own(file)} == {"rain"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (row(label="maybe"), "label"),
        (json.dumps({"source": "made"}), "premise"),
        ("{", "not JSON"),
    ],
)
def test_a_bad_public_row_is_told_by_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "made.jsonl"
    file.write_text(row() + "\n" + line + "\n")
    with pytest.raises(PairsError, match=rf"made\.jsonl:2.*{says}"):
        data.public(file)


def test_a_line_separator_inside_a_text_ends_no_row(tmp_path: Path) -> None:
    file = tmp_path / "made.jsonl"
    file.write_text(json.dumps({**json.loads(row()), "premise": "It\u2028rained."}, ensure_ascii=False) + "\n")
    assert data.public(file)[0].passage == "It\u2028rained."


def test_without_training_files_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match=r"holds no train/\*\.jsonl"):
        data.training_pairs(tmp_path)


# Kept apart from the test files


def test_rows_that_a_test_file_holds_are_dropped_and_counted_by_source() -> None:
    tests = [pair("The trial was small.", "Few took part.", "test")]
    rows = [
        pair("the TRIAL was  small!", "Nobody knows.", "one"),
        pair("Another passage.", "Few took part", "one"),
        pair("Another passage.", "Many took part.", "two"),
    ]
    kept, dropped = data.shared_with(tests, rows)
    assert kept == rows[2:]
    assert dropped == Counter({"one": 2})


def folder_with(tmp_path: Path, train: list[str], test: list[str]) -> Path:
    for name, lines in (("train", train), ("test", test)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "made.jsonl").write_text("".join(line + "\n" for line in lines))
    return tmp_path


def test_no_training_pair_shares_a_claim_or_a_passage_with_a_test_file(tmp_path: Path) -> None:
    train = [row(premise=f"Passage {n}.", claim=f"Claim {n}.") for n in range(60)]
    shared = [row(premise="passage 3", claim="x"), row(premise="y", claim="CLAIM 7!")]
    parts, dropped = data.training_pairs(folder_with(tmp_path, train, shared))
    assert dropped == Counter({"made": 2})
    told = {text for rows in parts.values() for one in rows for text in (one.passage, one.claim)}
    assert not {"Passage 3.", "Claim 3.", "Passage 7.", "Claim 7."} & told
    assert {"Passage 4.", "Claim 4."} <= told


def test_our_own_test_pairs_are_in_no_part(tmp_path: Path) -> None:
    parts, _ = data.training_pairs(folder_with(tmp_path, [row()], [row(premise="a", claim="b")]))
    tests = [one for path in (OWN / "test").glob("*.jsonl") for one in data.own(path)] + data.invented("test")
    texts = {data.normalised(text) for one in tests for text in (one.passage, one.claim)}
    own = [one for rows in parts.values() for one in rows if one.source == "own"]
    assert not [one for one in own if {data.normalised(one.passage), data.normalised(one.claim)} & texts]


def test_there_are_enough_pairs_of_our_own_of_both_kinds(tmp_path: Path) -> None:
    parts, _ = data.training_pairs(folder_with(tmp_path, [row()], [row(premise="a", claim="b")]))
    own = [one for rows in parts.values() for one in rows if one.source == "own"]
    assert len(own) >= 15_000
    assert 0.35 < sum(one.supported for one in own) / len(own) < 0.55


@given(st.text(), st.text(), st.text())
def test_the_part_hangs_on_the_passage_alone(passage: str, claim: str, other: str) -> None:
    assert data.part_of(pair(passage, claim)) == data.part_of(pair(f"  {passage} ...", other, "another"))


def test_no_passage_is_in_two_parts(tmp_path: Path) -> None:
    parts, _ = data.training_pairs(folder_with(tmp_path, [row()], [row(premise="a", claim="b")]))
    passages = [{one.passage for one in rows} for rows in parts.values()]
    assert sum(len(some) for some in passages) == len(set().union(*passages))
    assert all(passages)


# How pairs are made


def test_claims_of_another_study_are_not_supported_and_carry_a_figure_that_is_not_there() -> None:
    rows = [pair(f"Trial {n} had {n}0 people in two groups.", f"There were {n}0 people.") for n in range(1, 9)]
    found = data.other_studies(rows, 2, 1)
    assert len(found) == 16
    for one in found:
        assert not one.supported
        figures = set(re.findall(r"\d+", one.claim))
        assert not figures <= set(re.findall(r"\d+", one.passage))


def test_sentences_of_a_passage_are_supported_by_it_and_those_of_its_neighbour_are_not() -> None:
    told = (
        "[Trial {n}. Trial] In trial {n}, {n}1 people with asthma had a spray. It helped. No harm was seen in all {n}1."
    )
    found = data.verbatim([pair(told.format(n=n), "x") for n in range(3, 9)], 3, 1)
    assert {one.kind for one in found} == {"verbatim"}
    assert sum(one.supported for one in found) == 12
    for one in found:
        assert (one.claim in one.passage) == one.supported
        assert not one.claim.startswith("It helped")
    assert sum(not one.supported for one in found) == 6


def test_joined_passages_keep_the_claim_and_its_label() -> None:
    rows = [pair(f"Passage number {n}.", f"Claim {n}.") for n in range(200)]
    found = data.joined(rows, 0.5, 1)
    assert 20 < len(found) < 120
    for one in found:
        number = re.findall(r"\d+", one.claim)[0]
        assert f"Passage number {number}." in one.passage.split("\n")
        assert one.passage.count("Passage number") == 2


def test_groups_hold_a_passage_once_and_lose_no_pair() -> None:
    rows = [pair("One.", f"Claim {n}.") for n in range(30)] + [pair("Two.", "Claim.")]
    found = data.groups(rows, most=24)
    assert [len(one.claims) for one in found] == [24, 6, 1]
    assert sum(len(one.supported) for one in found) == 31


# Invented studies


def test_invented_studies_are_the_same_each_time_and_apart_in_both_parts() -> None:
    train, test = made("train"), made("test")
    assert made("train") == train
    assert not {one.passage for one in train} & {one.passage for one in test}
    assert not {one.claim for one in train} & {one.claim for one in test}


def test_every_figure_of_a_supported_invented_claim_stands_in_its_passage() -> None:
    for one in made("train"):
        if one.supported:
            assert set(re.findall(r"\d+", one.claim)) <= set(re.findall(r"\d+", one.passage)), one


def test_no_invented_claim_is_both_supported_and_not() -> None:
    seen: dict[tuple[str, str], bool] = {}
    for one in [*made("train"), *made("test")]:
        assert seen.setdefault((one.passage, one.claim), one.supported) == one.supported, one


def test_every_kind_of_error_is_made() -> None:
    kinds = {one.kind for one in made("train") if not one.supported}
    wanted = {"number", "arm", "comparator", "drug", "direction", "population", "species", "time", "certainty", "cause"}
    assert wanted | {"half", "elsewhere", "finding", "scope"} <= kinds


def test_a_filled_sentence_begins_with_a_capital_and_has_one_article() -> None:
    facts = {"drug": "a rash cream"}
    assert fill("{drug} helped; the {drug} group did well. {drug_c} again.", facts) == (
        "A rash cream helped; the rash cream group did well. A rash cream again."
    )


def test_likeness_is_the_share_of_common_words() -> None:
    found = data.likeness(["Rats froze less.", "rats froze", "People slept", "..."])
    assert found[0].tolist() == pytest.approx([1.0, 2 / 3, 0.0, 0.0])
    assert found[:, 0].tolist() == found[0].tolist()
    assert found[3, 3] == 0.0


@pytest.mark.parametrize(
    ("evidence", "is_held"),
    [
        ("New one.", True),
        ("Old one.", False),
        ("Old one.\nNew one.", True),
        ("New one.\nOld one.", True),
        ("[A. B] Old one.\n[C. D] Leaflet.\n\nDay 2.", True),
        ("Old.\n\nNew.", False),
        ("Old one. New one.", False),
    ],
)
def test_a_pair_holds_a_kept_passage_alone_or_joined_and_never_by_a_line_of_it(evidence: str, is_held: bool) -> None:
    kept = frozenset({"New one.", "[C. D] Leaflet.\n\nDay 2."})
    assert data.holds(Pair("own", evidence, "Claim.", True, "plain"), kept) == is_held


def test_what_is_kept_for_the_last_phases_is_in_no_earlier_file() -> None:
    kept = data.kept_for_last()
    early = [path for path in (OWN / "train").glob("*.jsonl") if not path.stem.isdigit() or int(path.stem) < data.LAST]
    assert kept
    assert not [pair for path in early for pair in data.own(path) if data.holds(pair, kept)]
