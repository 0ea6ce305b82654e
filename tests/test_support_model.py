"""The verifier that ships: loaded whole or not at all, windows over long passages, the same score alone or not."""

import json
import shutil
from pathlib import Path

import pytest

from server.verify.model import CONFIG, FOLDER, TOKENIZER, WEIGHTS, WINDOW, Verifier, VerifierError, check, load

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
    with pytest.raises(VerifierError):
        check(folder)


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


@pytest.mark.parametrize(("true", "false"), TWINS)
def test_it_tells_a_true_sentence_from_its_false_twin(verifier: Verifier, true: str, false: str) -> None:
    good, bad = verifier.support([(TRIAL, [true, false])])[0]
    assert good.score > bad.score
    assert good.window == bad.window == TRIAL


def test_a_claim_scores_the_same_alone_and_among_many(verifier: Verifier) -> None:
    claims = [*(one for twins in TWINS for one in twins), *(f"{number} people took part." for number in range(60))]
    together = verifier.support([(TRIAL, claims), (FILLER, claims[:3]), (FILLER * 9, claims[:9])])[0]
    for place in (0, 1, 30, len(claims) - 1):
        alone = verifier.support([(TRIAL, [claims[place]])])[0][0]
        assert alone.score == pytest.approx(together[place].score, abs=0.05)
    assert verifier.support([(TRIAL, []), (FILLER, claims[:1])])[0] == []
    assert verifier.support([]) == []


def test_passages_that_were_read_before_score_the_same(verifier: Verifier) -> None:
    other = Verifier()
    other.remember([TRIAL, FILLER, FILLER * 90])
    claims = [one for twins in TWINS for one in twins]
    readings = [(TRIAL, claims[:4]), (FILLER, claims), (FILLER * 2, claims[:1]), (TRIAL, claims[4:]), (FILLER, [])]
    for found, wanted in zip(other.support(readings), verifier.support(readings), strict=True):
        assert [one.score for one in found] == pytest.approx([one.score for one in wanted], abs=0.05)


@pytest.mark.parametrize("passage", ["", " ", "\ud800", "x" * 3000, "word " * 900, "\u2028"])
def test_any_text_has_a_score(verifier: Verifier, passage: str) -> None:
    for claim in ("", "Melatonin helped.", "\udfff", "y " * 300):
        assert 0.0 <= verifier.support([(passage, [claim])])[0][0].score <= 1.0


def test_a_long_passage_is_read_in_windows_that_lose_no_sentence(verifier: Verifier) -> None:
    long = FILLER * 60 + TRIAL + " " + FILLER * 60
    windows = verifier.windows(long)
    assert len(windows) > 1
    assert all(len(verifier._ids(window)) <= WINDOW + 8 for window in windows)
    assert "At 6 months the groups no longer differed." in " ".join(windows)
    best = verifier.support([(long, [TWINS[0][0]])])[0][0]
    scores = [found[0].score for found in verifier.support([(window, [TWINS[0][0]]) for window in windows])]
    assert best.score == pytest.approx(max(scores), abs=1e-6)
    assert best.window in windows


def test_its_digest_changes_with_its_limit(verifier: Verifier, tmp_path: Path) -> None:
    folder = copy(tmp_path)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"threshold": 0.99}))
    other = Verifier(folder)
    assert other.digest != verifier.digest
    assert other.threshold == 0.99
