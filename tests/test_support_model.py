"""The verifier that ships: loaded whole or not at all, windows over long passages, the same score alone or not."""

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from evals.training.support_phases import RECIPES
from server.verify import model
from server.verify.layout import AFTER, BEFORE, BETWEEN, JOIN, ends_of, lay_out, passages_of, stack
from server.verify.model import CONFIG, FOLDER, TOKENIZER, WEIGHTS, WINDOW, Verifier, VerifierError, check, load
from server.verify.network import mask

TRIAL = (
    "[The made-up trial, 2019. Randomised trial] 60 adults with poor sleep were randomised to melatonin (n = 31) or to "
    "a dummy pill (n = 29). At 4 weeks, 61% slept better with melatonin and 28% with the dummy pill (p = 0.01). "
    "At 6 months the groups no longer differed. Headache was reported by 20% with melatonin and by 7% without it."
)
TWINS = [
    ("After six months the groups were alike.", "After six months people on melatonin still slept better."),
    ("Headaches were more common with melatonin.", "Headaches were less common with melatonin."),
    ("It took adults who slept badly.", "It took adults who were in pain."),
    ("The trial had 60 adults who slept badly.", "The trial had 60 children who slept badly."),
    (
        "At four weeks more people slept better with melatonin.",
        "At four weeks fewer people slept better with melatonin.",
    ),
]
FILLER = "The clinic keeps a garden with many old trees and a small pond. "
OTHER = (
    "[Another made-up trial, 2021. Open study] 22 children with asthma used a spacer; 9 of them coughed less in a week."
)
THIRD = "[A made-up leaflet. Leaflet] Do not drive on the day of the treatment."


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return load()


def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


# Shipping


def test_the_weights_are_small_enough_to_ship_and_a_card_lies_beside_them() -> None:
    assert (FOLDER / WEIGHTS).stat().st_size <= 60_000_000
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "must not be used for" in card
    assert "Known failures" in card


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, TOKENIZER])
def test_a_missing_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    folder = copy(tmp_path)
    (folder / name).unlink()
    for opened in (Verifier, check):
        with pytest.raises(VerifierError, match=name) as caught:
            opened(folder)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [WEIGHTS, TOKENIZER])
def test_another_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = copy(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(VerifierError, match=f"{name}.*sha256"):
        check(folder)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"sha256": 1}'])
def test_a_broken_config_is_refused(tmp_path: Path, content: str) -> None:
    folder = copy(tmp_path)
    (folder / CONFIG).write_text(content)
    with pytest.raises(VerifierError) as caught:
        check(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"), [("threshold", 0), ("threshold", None), ("slope", "NaN"), ("shift", float("inf")), ("shape", 3)]
)
def test_a_config_with_a_value_that_cannot_be_used_is_refused_before_the_start(
    tmp_path: Path, field: str, value: object
) -> None:
    folder = copy(tmp_path)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {field: value}))
    with pytest.raises(VerifierError, match=field):
        check(folder)


def test_what_ships_was_made_by_the_recipes_that_stand_in_the_code() -> None:
    recipes = json.loads((FOLDER / CONFIG).read_text())["recipes"]
    assert recipes == [asdict(recipe) for recipe in RECIPES]


def test_a_start_without_the_model_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from server import cli

    def missing() -> None:
        raise VerifierError("the support model cannot be read: weights.safetensors")

    monkeypatch.setattr("server.app.check_support_model", missing)
    monkeypatch.setattr(cli, "configure", lambda: None)
    monkeypatch.setattr("sys.argv", ["plaincite", "serve", "--port", "0"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "the support model cannot be read" in capsys.readouterr().err


# What it says


def test_it_tells_most_true_sentences_from_their_false_twins(verifier: Verifier) -> None:
    found = verifier.support([(TRIAL, [one for twins in TWINS for one in twins])])[0]
    assert all(one.window == TRIAL for one in found)
    right = [good.score > bad.score for good, bad in zip(found[::2], found[1::2], strict=True)]
    assert sum(right) >= len(TWINS) - 1


def test_a_claim_scores_the_same_alone_and_among_many(verifier: Verifier) -> None:
    claims = [*(one for twins in TWINS for one in twins), *(f"{number} people took part." for number in range(60))]
    together = verifier.support([(TRIAL, claims), (FILLER, claims[:3]), (FILLER * 9, claims[:9])])[0]
    for place in (0, 1, 30, len(claims) - 1):
        alone = verifier.support([(TRIAL, [claims[place]])])[0][0]
        assert alone.score == pytest.approx(together[place].score, abs=0.05)
    assert verifier.support([(TRIAL, []), (FILLER, claims[:1])])[0] == []
    assert verifier.support([]) == []


# Several passages


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Verifier:
    """One that computes in 32 bits, so that two ways to the same number can be compared."""
    monkeypatch.setattr("server.verify.network.fast_kind", lambda: torch.float32)
    return Verifier()


def in_one_go(verifier: Verifier, passages: Sequence[str], claims: Sequence[str]) -> list[float]:
    """The logits of one row that is read whole, as in training."""
    close = verifier._ids(AFTER)
    heads = [verifier._ids(BEFORE + one) for one in passages]
    rows = [lay_out(heads, [verifier._ids(BETWEEN + one) + close for one in claims])]
    ids, positions, segments = (torch.from_numpy(some) for some in stack(rows))
    network: Any = verifier._network
    with torch.inference_mode():
        last = network._body(
            input_ids=ids, position_ids=positions, attention_mask=mask(segments, torch.float32), use_cache=False
        ).last_hidden_state[ends_of(rows)]
        return [float(one) for one in (last @ network._weight.T + network._bias).squeeze(-1)]


def test_claims_after_what_was_kept_score_as_in_a_row_that_is_read_whole(exact: Verifier) -> None:
    claims = [one for twins in TWINS for one in twins]
    together = [
        (TRIAL, claims),
        (JOIN.join((OTHER, TRIAL)), claims[:3]),
        (JOIN.join((THIRD, TRIAL, OTHER)), claims[3:]),
    ]
    for found, (passage, asked) in zip(exact.logits(together), together, strict=True):
        assert list(found) == pytest.approx(in_one_go(exact, passages_of(passage), asked), abs=2e-3)


def test_the_order_of_passages_changes_nothing(exact: Verifier) -> None:
    claims = [one for twins in TWINS for one in twins]
    one, other = exact.logits([(JOIN.join((TRIAL, OTHER, THIRD)), claims), (JOIN.join((THIRD, TRIAL, OTHER)), claims)])
    assert list(one) == pytest.approx(list(other), abs=2e-3)


def test_a_passage_is_read_once_for_all_that_is_held_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier()
    read: list[Any] = []
    real = verifier._network.read

    def counted(some: Sequence[Sequence[int]]) -> list[Any]:
        read.extend(some)
        return real(some)

    monkeypatch.setattr(verifier._network, "read", counted)
    first = verifier.support([(TRIAL, [TWINS[0][0]]), (OTHER, [TWINS[0][0]])])
    assert len(read) == 2
    again = verifier.support([(TRIAL, [TWINS[0][0]]), (JOIN.join((OTHER, TRIAL)), [TWINS[0][0], TWINS[1][1]])])
    assert len(read) == 2
    assert again[0][0].score == pytest.approx(first[0][0].score, abs=0.02)
    verifier.forget()
    verifier.support([(OTHER, [TWINS[0][0]])])
    assert len(read) == 3


def test_what_is_kept_has_a_bound_and_an_answer_that_needs_more_is_scored_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verifier = Verifier()
    readings = [(f"{FILLER * 3} Room {number} is blue.", [f"Room {number} is blue."]) for number in range(8)]
    wanted = [found[0].score for found in verifier.support(readings)]
    monkeypatch.setattr(model, "KEPT", 2_000_000)
    verifier.forget()
    assert [found[0].score for found in verifier.support(readings)] == pytest.approx(wanted, abs=0.02)
    assert 0 < sum(one.nbytes for one in verifier._kept.values()) <= 2_000_000


def test_several_threads_get_the_scores_that_one_gets(verifier: Verifier) -> None:
    readings = [[(TRIAL, [true, false]), (JOIN.join((OTHER, TRIAL)), [false])] for true, false in TWINS] * 2
    wanted = [verifier.support(some) for some in readings]
    verifier.forget()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(verifier.support, readings))
    for mine, theirs in zip(found, wanted, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert [s.score for s in one] == pytest.approx([s.score for s in other], abs=0.03)


# Texts of any length


@pytest.mark.parametrize(
    "passage", ["", " ", "\ud800", "x" * 3000, "word " * 900, "\u2028", "\n" * 3000, "\u2028" * 700, "漢" * 700]
)
def test_any_text_has_a_score(verifier: Verifier, passage: str) -> None:
    for claim in ("", "Melatonin helped.", "\udfff", "y " * 300, "\n" * 400, "漢" * 200):
        assert 0.0 <= verifier.support([(passage, [claim])])[0][0].score <= 1.0


def test_a_long_passage_is_read_in_windows_that_lose_no_sentence_and_keep_its_heading(verifier: Verifier) -> None:
    heading = "[A made-up register, 2018. Report] "
    told = [f"Ward {number} saw {number + 3} people who slept badly." for number in range(150)]
    windows = verifier.windows(heading + " ".join(told))
    assert len(windows) > 1
    assert all(len(verifier._ids(window)) <= WINDOW + 8 for window in windows)
    assert all(window.startswith(heading) for window in windows)
    for one, following in pairwise(told):
        assert any(f"{one} {following}" in window for window in windows)


def test_letters_without_a_space_are_all_read(verifier: Verifier) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(900))
    assert set("".join(verifier.windows(text))) >= set(text)


def test_the_best_window_counts(verifier: Verifier) -> None:
    long = FILLER * 60 + TRIAL + " " + FILLER * 60
    best = verifier.support([(long, [TWINS[0][0]])])[0][0]
    windows = verifier.windows(long)
    scores = [found[0].score for found in verifier.support([(window, [TWINS[0][0]]) for window in windows])]
    assert best.score == pytest.approx(max(scores), abs=0.02)
    assert best.window in windows


def test_joined_passages_stay_apart_when_one_of_them_is_long(verifier: Verifier) -> None:
    long = "[A long made-up report. Report] " + FILLER * 90
    windows = verifier.windows(JOIN.join((OTHER, long, TRIAL)))
    parts = [part for window in windows for part in passages_of(window)]
    assert OTHER in parts
    assert TRIAL in parts
    assert all(len(verifier._ids(part)) <= WINDOW + 8 for part in parts)
    assert all(part.startswith("[") for part in parts)


def test_of_a_claim_that_is_too_long_the_part_that_is_supported_least_counts(verifier: Verifier) -> None:
    true = " ".join(one for one, _ in TWINS) + " "
    tail = "People on melatonin lived for a hundred years longer and none of them ever slept badly again."
    long = true * 3 + tail
    assert len(verifier._ids(long)) > 96
    found = verifier.support([(TRIAL, [long, tail])])[0]
    assert found[0].score == pytest.approx(found[1].score, abs=0.05)


def test_its_digest_changes_with_its_limit_and_with_the_code(
    verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy(tmp_path)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"threshold": 0.99}))
    other = Verifier(folder)
    assert other.digest != verifier.digest
    assert other.threshold == 0.99
    for name in model.SCORED_BY:
        shutil.copyfile(model.HERE / name, tmp_path / name)
    monkeypatch.setattr(model, "HERE", tmp_path)
    assert Verifier().digest == verifier.digest
    with (tmp_path / "layout.py").open("a") as file:
        file.write("# another layout\n")
    assert Verifier().digest != verifier.digest
