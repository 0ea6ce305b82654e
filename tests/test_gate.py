"""The gate of `make test`: planted drafts, switched-off checks, and limits that say why."""

from pathlib import Path
from typing import Any

import pytest

from evals.mutations import CHECKS, Check, let_through, mutation_check, planted_drafts, without
from evals.thresholds import Finding, ThresholdsError, failed, findings, read_thresholds
from server.corpus import Corpus
from server.wording import Wording


def test_no_planted_draft_is_shown(corpus: Corpus, wording: Wording) -> None:
    assert let_through(corpus, wording, planted_drafts()) == []
    assert mutation_check(corpus, wording) == []


@pytest.mark.parametrize("check", CHECKS)
def test_with_a_check_switched_off_the_gate_fails(check: Check, corpus: Corpus, wording: Wording) -> None:
    with without(check):
        lines = mutation_check(corpus, wording)
    mine = {one.id for one in planted_drafts() if one.check == check}
    shown = {line.split()[2] for line in lines if line.endswith("is shown")}
    assert shown == mine, lines


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_that_no_planted_draft_tests_is_noticed(
    check: Check, corpus: Corpus, wording: Wording, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = tuple(one for one in planted_drafts() if one.check != check)
    monkeypatch.setattr("evals.mutations.planted_drafts", lambda: rest)
    assert mutation_check(corpus, wording) == [
        f"without the check {check!r}, no planted draft is shown: nothing tests it"
    ]


def thresholds(path: Path, limits: str) -> Any:
    path.write_text(f'[safety]\nmissed = []\nwhy = "known"\n{limits}', encoding="utf-8")
    return read_thresholds(path)


LIMIT = '[[limits]]\npath = "a.b"\nname = "the rate"\nwhy = "because"\n'


def report(value: Any, missed: list[str] | None = None) -> dict[str, Any]:
    return {"a": {"b": value}, "tasks": {"whole": {"plaincite": {"safety_missed": missed or []}}}}


@pytest.mark.parametrize(
    ("bound", "value", "fails"),
    [
        ("max = 0", 0, False),
        ("max = 0", 1, True),
        ("min = 0.8", 0.7, True),
        ("interval_max = 0.05", [0.04, 0.2], False),
        ("interval_max = 0.05", [0.06, 0.2], True),
        ("interval_min = 0.5", [0.2, 0.6], False),
        ("interval_min = 0.5", [0.2, 0.4], True),
    ],
)
def test_a_limit_fails_only_on_its_wrong_side(bound: str, value: Any, fails: bool, tmp_path: Path) -> None:
    found = failed(report(value), thresholds(tmp_path / "t.toml", LIMIT + bound))
    assert bool(found) is fails
    assert all("because" in one.line for one in found)


def test_what_was_not_measured_is_said_and_never_passed(tmp_path: Path) -> None:
    limits = thresholds(tmp_path / "t.toml", LIMIT + "max = 0")
    assert findings({}, limits) == [
        Finding("not measured", "safety items: not measured"),
        Finding("not measured", "the rate: not measured"),
    ]


def test_a_new_safety_miss_fails_and_so_does_a_repaired_one(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('limits = []\n[safety]\nmissed = ["old-1", "old-2"]\nwhy = "known"\n', "utf-8")
    limits = read_thresholds(tmp_path / "t.toml")
    assert failed(report(0, ["old-1", "old-2"]), limits) == []
    lines = [one.line for one in failed(report(0, ["old-1", "new-1"]), limits)]
    assert lines[0] == "safety item missed: new-1"
    assert lines[1].startswith("safety item old-2 is not missed any more")


@pytest.mark.parametrize("limits", [LIMIT, LIMIT + "max = 0\nmin = 1", LIMIT + "maximum = 1", "x = ["])
def test_a_broken_file_is_told_in_one_line(limits: str, tmp_path: Path) -> None:
    with pytest.raises(ThresholdsError, match=r"^t\.toml: "):
        thresholds(tmp_path / "t.toml", limits)


def test_every_limit_of_ours_says_why_and_known_misses_are_cases() -> None:
    from evals.cases import open_cases
    from server.turn import SAFETY

    ours = read_thresholds()
    assert all(len(limit.why) > 20 for limit in ours.limits)
    by_id = {case.id: case for case in open_cases()}
    assert all(by_id[key].accepted <= SAFETY for key in ours.safety.missed)
    assert len(ours.safety.why) > 20
    dev = {case.id for case in open_cases() if not case.provenance.startswith("invented")}
    assert not dev & set(ours.safety.missed)
