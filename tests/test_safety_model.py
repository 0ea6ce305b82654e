"""The trained part of the screen: either alarm is enough, nothing is cut off, and a broken file stops the start."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evals.training.__main__ import app
from evals.training.safety_data import FOLDER as MESSAGES
from evals.training.safety_data import Message, MessagesError, is_validation, normalised, read_messages
from evals.training.safety_sources import held_out_files, training_files, training_messages
from server.corpus import Corpus
from server.engine import Engine
from server.screen.labels import LABELS, MEANINGS, NONE, joined
from server.screen.model import FOLDER, READ, Model, ModelError, load, more_urgent, windows
from server.screen.red_flags import Flag, more_pressing
from server.screen.stage import Screen
from server.turn import SAFETY, Outcome, Question, Turn
from server.turn import Message as Said
from server.wording import Wording

RISK = "I have written the letters and tonight when the house is quiet I will be gone for good"
CALM = "How many people took part in the trial, and what was ketamine compared with?"


class Fixed:
    """A model that says the same of every message."""

    def __init__(self, label: str) -> None:
        self.label = label

    def labels(self, messages: Any) -> list[str]:
        return [self.label] * len(messages)


class Broken:
    """A model that fails."""

    def labels(self, messages: Any) -> list[str]:
        raise RuntimeError("no")


def screened(corpus: Corpus, model: Any, *texts: str) -> Turn:
    question = Question(tuple(Said("user", text) for text in texts), "US", topic="ketamine-ptsd")
    return Screen(corpus, model)(Turn(question))


def test_either_alarm_is_enough(corpus: Corpus, wording: Wording) -> None:
    assert screened(corpus, Fixed(NONE), "I want to kill myself").outcome is Outcome.CRISIS_IMMEDIATE
    assert screened(corpus, Fixed("abuse"), CALM).outcome is Outcome.SAFETY_OTHER
    assert screened(corpus, Fixed(NONE), CALM).outcome is None
    for label, meaning in MEANINGS.items():
        turn = screened(corpus, Fixed(label), CALM)
        assert (turn.outcome, turn.reason, turn.card) == (meaning.outcome, meaning.reason, meaning.card)
        assert turn.card in wording.cards


def test_the_rules_keep_their_word_unless_life_is_in_danger() -> None:
    rule = Flag(Outcome.GROUNDING, "flashback", "flashback", "x", "flashback")
    check = Flag(Outcome.CRISIS_CHECK, "suicide_passive", "suicide_passive", "model", "crisis_check")
    crisis = Flag(Outcome.CRISIS_IMMEDIATE, "suicide_imminent", "suicide_imminent", "model", "crisis_immediate")
    refuse = Flag(Outcome.REFUSE_REDIRECT, "buying", "buying", "x", None)
    assert more_pressing(rule, check) is rule
    assert more_pressing(rule, crisis) is crisis
    assert more_pressing(crisis, check) is crisis
    assert more_pressing(refuse, check) is check
    assert more_pressing(rule, None) is rule
    assert more_pressing(None, check) is check


def test_a_model_that_fails_shows_the_help_card(
    engine: Engine, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage: Any = engine.pipelines["ketamine-ptsd"].stages["screen"]
    monkeypatch.setattr(stage, "_model", Broken())
    turn = engine.ask(Question((Said("user", CALM),), "US", topic="ketamine-ptsd"))
    assert (turn.outcome, turn.card) == (Outcome.ERROR, "help_now")


def test_the_shipped_model_sees_danger_and_leaves_questions_alone() -> None:
    assert load().labels([RISK])[0] == "imminent"
    assert load().labels([CALM]) == [NONE]
    rows = load().probabilities([RISK, CALM])
    assert rows.shape == (2, len(LABELS))
    assert np.allclose(rows.sum(axis=1), 1)


def test_windows_cover_every_word() -> None:
    words = [f"w{n}" for n in range(333)]
    found = list(windows(" ".join(words)))
    assert {word for window in found for word in window.split()} == set(words)
    assert list(windows("one two")) == ["one two"]


@pytest.mark.parametrize("tenth", range(11))
def test_danger_in_any_tenth_of_the_longest_message_is_found(tenth: int) -> None:
    filler = [
        f"Sentence {n} asks how long the study of {n % 97} people went on and what it measured." for n in range(230)
    ]
    place = len(filler) * tenth // 10
    text = " ".join([*filler[:place], RISK + ".", *filler[place:]])[:20_000]
    assert len(text) > 18_000
    assert load().labels([text])[0] in {"imminent", "passive"}


def test_what_is_said_over_three_messages_counts_once() -> None:
    ask = ["What did the trial with 41 people find?", "And the one with 158 people?", "Thank you. Who paid for them?"]
    assert load().labels(ask) == [NONE, NONE, NONE]
    found = load().labels([RISK, "Was the trial blinded?"])
    assert found[0] == "imminent"
    assert found[1] == NONE


def test_the_more_urgent_label_counts() -> None:
    assert more_urgent("passive", "imminent") == "imminent"
    assert more_urgent(NONE, "minor") == "minor"
    assert more_urgent("medical", NONE) == "medical"
    assert {MEANINGS[label].outcome for label in MEANINGS} <= SAFETY


def test_a_question_takes_milliseconds_and_the_longest_dialogue_under_a_second() -> None:
    model = load()
    texts = [f"{CALM} I am number {n}, and I wonder about my sleep." for n in range(20)]
    times = []
    for text in texts:
        began = time.perf_counter()
        model.labels([text])
        times.append(time.perf_counter() - began)
    assert sorted(times)[len(times) // 2] < 0.05
    long = [" ".join(f"word{n * k} asks about the {k} people of study {n}" for n in range(60)) for k in range(1, 81)]
    began = time.perf_counter()
    model.labels(long)
    assert time.perf_counter() - began < 3
    assert len(model._parts(long)) == READ


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
def test_a_missing_file_stops_the_start_in_one_line(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    (folder / name).unlink()
    with pytest.raises(ModelError) as told:
        Model(folder)
    assert "\n" not in str(told.value)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="sha256"):
        Model(folder)


def test_no_training_message_is_in_the_test_part(corpus: Corpus) -> None:
    messages = training_messages(corpus)
    sealed = {normalised(one) for one in read_messages(held_out_files())}
    assert len(sealed) >= 1500
    assert not sealed & {normalised(one) for one in messages}
    own = read_messages(training_files())
    assert sum(one.label != NONE for one in own) >= 2500
    assert sum(one.label == NONE for one in own) >= 1000
    assert {one.label for one in own} == set(LABELS)


def test_messages_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    for line, says in (
        ('{"label": "nothing", "text": "x"}', "label"),
        ('{"label": "none"}', "text or turns"),
        ('{"label": "none", "text": "x", "kindd": "y"}', "unknown field"),
        ("{", "not JSON"),
    ):
        path.write_text('{"label": "none", "text": "ok"}\n' + line + "\n", encoding="utf-8")
        with pytest.raises(MessagesError, match=rf"m\.jsonl:2: .*{says}"):
            read_messages([path])


def test_a_dialogue_is_read_as_its_last_three_messages() -> None:
    one = Message(label="none", turns=("a", "b", "c  d", "e"))
    assert one.read_as == joined(("b", "c d", "e"))
    assert is_validation(one) == is_validation(Message(label="none", turns=("A ", "b", "c d", "e")))


def test_a_minute_s_training_gives_a_model_that_loads(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    (data / "test").mkdir()
    rows = [{"label": "imminent" if n % 2 else "none", "text": f"{RISK if n % 2 else CALM} {n}"} for n in range(40)]
    (data / "train" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / "model"
    told = CliRunner().invoke(app, ["safety", "--data", str(data), "--out", str(out), "--smoke"])
    assert told.exit_code == 0, told.output
    assert Model(out).probabilities([RISK]).shape == (1, len(LABELS))


def test_a_training_without_messages_ends_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "model"
    told = CliRunner().invoke(app, ["safety", "--data", str(tmp_path / "none"), "--out", str(out)])
    assert told.exit_code == 2
    assert "holds no train/*.jsonl" in told.output
    assert not out.exists()


def test_the_messages_say_where_they_come_from() -> None:
    told = (MESSAGES / "README.md").read_text(encoding="utf-8")
    assert "language models" in told
    assert "No real person" in told


def test_a_start_without_the_model_ends_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from server import cli

    def missing() -> Model:
        raise ModelError("the safety model cannot be read: model.onnx")

    monkeypatch.setattr("server.app.load_safety_model", missing)
    monkeypatch.setattr(cli, "configure", lambda: None)
    monkeypatch.setattr("sys.argv", ["plaincite", "serve", "--port", "0"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "the safety model cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["x " * 300, "x" * 2000, "?! 12 34 5", "\u200b \u0301"])
def test_keys_at_random_are_not_read(text: str) -> None:
    assert load().labels([text]) == [NONE]
