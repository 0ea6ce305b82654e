"""The verifier's network: a claim is judged as if it stood alone, and a run that was cut goes on."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from evals.judges import JudgeError
from evals.judges.trained import TrainedJudge
from evals.training.__main__ import app
from evals.training.support import Recipe, Training, falling, order_of, score
from evals.training.support_data import Group
from evals.training.support_export import export
from evals.training.support_packing import BLOCK, FINE, rounded
from evals.training.support_rows import mixed
from server.verify.layout import after, batches, lay_out, stack
from server.verify.model import Verifier
from server.verify.network import mask

TINY = Recipe(layers=1, frozen=0, tokens=256, epochs=2.0)
GROUPS = [
    Group("own", "Rats froze less after the drug.", ("Rats froze less.", "People froze less."), (True, False)),
    Group("other", "The trial had 41 people.", ("41 people took part.", "It had 14."), (True, False)),
    Group("own", "No harm was seen in 12 patients. " * 9, ("There was harm.",), (False,)),
    Group(
        "own", "[One. Trial] 14 slept.\n[Two. Study] Of 9 rats, 3 froze.", ("Rats slept.", "Rats froze."), (False, True)
    ),
    Group("other", "[A. B] It rained.\n[C. D] No.\n[E. F] Snow fell on 3 days.\n[G. H] Sun.", ("It rained.",), (True,)),
]

ids = st.lists(st.integers(3, 900), min_size=1, max_size=9)


@given(st.lists(ids, min_size=1, max_size=3), st.lists(ids, min_size=1, max_size=5))
def test_a_row_holds_every_token_and_each_claim_goes_on_from_the_longest_passage(
    passages: list[list[int]], claims: list[list[int]]
) -> None:
    row = lay_out(passages, claims)
    assert row.ids == [one for some in (*passages, *claims) for one in some]
    assert [row.ids[end] for end in row.ends] == [claim[-1] for claim in claims]
    start = max(map(len, passages))
    assert [row.positions[end] for end in row.ends] == [start + len(claim) - 1 for claim in claims]
    tails = after([len(passage) for passage in passages], claims)
    size = sum(map(len, passages))
    assert (row.ids[size:], row.positions[size:], row.segments[size:]) == (tails.ids, tails.positions, tails.segments)


@given(st.lists(ids, min_size=1, max_size=3), st.lists(ids, min_size=2, max_size=4))
def test_no_token_reads_ahead_and_only_claims_read_what_is_not_theirs(
    passages: list[list[int]], claims: list[list[int]]
) -> None:
    longer = lay_out([[3] * 40], [[4] * 9])  # so that the rows above are filled up
    _, _, segments = stack([lay_out(passages, claims), longer])
    may = mask(torch.from_numpy(segments), torch.float32)[0, 0] == 0
    sizes = [len(one) for one in (*passages, *claims)]
    owner = [place for place, size in enumerate(sizes) for _ in range(size)]
    for reader, whose in enumerate(owner):
        for read in range(may.shape[1]):
            allowed = read <= reader and (owner[read] == whose or (whose >= len(passages) > owner[read]))
            assert bool(may[reader, read]) == allowed


@given(st.lists(st.integers(1, 90), min_size=1, max_size=60), st.booleans())
def test_batches_hold_every_row_once_and_keep_to_their_size(sizes: list[int], by_chance: bool) -> None:
    found = mixed(sizes, 100, random.Random(1)) if by_chance else batches(sizes, 100)
    assert sorted(place for some in found for place in some) == list(range(len(sizes)))
    assert all(len(some) == 1 or len(some) * max(sizes[p] for p in some) <= 100 for some in found)


def test_the_learning_rate_rises_and_falls_to_its_floor() -> None:
    shares = [falling(step, 10, 100, 0.2) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == pytest.approx(1.0)
    assert shares[-1] == pytest.approx(0.2, abs=0.01)
    assert shares[10:] == sorted(shares[10:], reverse=True)


def test_half_an_epoch_is_half_of_the_batches() -> None:
    sizes = [10] * 100
    whole = order_of(sizes, Recipe(epochs=1.0, tokens=100))
    assert len(order_of(sizes, Recipe(epochs=0.5, tokens=100))) == len(whole) // 2
    assert len(order_of(sizes, Recipe(epochs=1.5, tokens=100))) == len(whole) * 3 // 2


@pytest.fixture(autouse=True, scope="module")
def all_cores() -> Iterator[None]:
    """A server that was loaded before keeps to one thread; training takes all."""
    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, Path, list[str]]:
    path = tmp_path_factory.mktemp("training") / "run.pt"
    lines: list[str] = []
    run = Training(GROUPS, TINY, path)
    run.run(lines.append)
    return run, path, lines


def test_a_claim_has_the_same_score_alone_and_among_others(trained: Any) -> None:
    run = trained[0]
    net = run.net.float()
    together = score(net, run.coder, GROUPS)
    for group, scores in zip(GROUPS, together, strict=True):
        for claim, found in zip(group.claims, scores, strict=True):
            alone = score(net, run.coder, [Group("own", group.passage, (claim,), (True,))])[0][0]
            assert found == pytest.approx(alone, abs=1e-4)


def test_a_run_tells_where_it_is_and_a_finished_one_starts_nothing_anew(trained: Any) -> None:
    run, path, lines = trained
    assert "loss" in lines[-1]
    again = Training(GROUPS, TINY, path)
    assert again.start == len(again.order)
    for one, two in zip(again.net.parameters(), run.net.parameters(), strict=True):
        assert torch.equal(one.float(), two.float())


def test_a_checkpoint_of_other_data_is_not_gone_on_from(trained: Any) -> None:
    assert Training(GROUPS[:2], TINY, trained[1]).start == 0


def test_the_next_phase_begins_with_the_weights_of_the_last(trained: Any, tmp_path: Path) -> None:
    run, path, _ = trained
    after = Training(GROUPS[:1], TINY, tmp_path / "next.pt", path)
    assert torch.equal(after.net.head.weight.float(), run.net.head.weight.float())
    assert len(after.sources) == 1


def test_frozen_layers_and_the_embedding_stay_as_they_were(tmp_path: Path) -> None:
    run = Training(GROUPS, Recipe(layers=2, frozen=1, tokens=256), tmp_path / "run.pt")
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    run.run(lambda line: None)
    moved = {name for name, value in run.net.state_dict().items() if not torch.equal(value, before[name])}
    assert not [name for name in moved if name.startswith(("body.embed_tokens", "body.layers.0."))]
    assert [name for name in moved if name.startswith("body.layers.1.")]
    assert float(run.net.offset.weight.detach()[0]) == 0.0


def test_a_network_that_learns_rounded_shows_only_rounded_weights(tmp_path: Path) -> None:
    run = Training(GROUPS, Recipe(layers=2, frozen=1, tokens=256, bits=4, rate=1e-3), tmp_path / "run.pt")
    before = run.net.body.layers[1].mlp.up_proj.weight.clone()
    run.run(lambda line: None)
    for name, weights in run.net.body.named_parameters():
        if weights.ndim == 2:
            block = BLOCK if weights.requires_grad else FINE
            again = rounded(weights.detach(), block)
            assert torch.allclose(again, weights.detach().float(), atol=0.02 * float(weights.detach().abs().max())), (
                name
            )
    assert not torch.equal(run.net.body.layers[1].mlp.up_proj.weight, before)


def pairs_folder(folder: Path) -> Path:
    for part in ("train", "test"):
        (folder / part).mkdir(parents=True)
        rows = [
            {
                "source": "made",
                "premise": f"{part} {n} had {n + 40} people.",
                "claim": f"{part} {n} was not small.",
                "label": "supported" if n % 2 else "not_supported",
            }
            for n in range(40)
        ]
        (folder / part / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def smoked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    folder = tmp_path_factory.mktemp("smoke")
    out, work = folder / "model", folder / "work"
    data = pairs_folder(folder / "data")
    arguments = ["--data", str(data), "--out", str(out), "--work", str(work), "--smoke"]
    result = CliRunner().invoke(app, ["support", *arguments])
    assert result.exit_code == 0, result.output
    return out, work, result.output


def test_a_smoke_training_makes_weights_that_load(smoked: tuple[Path, Path, str]) -> None:
    out, work, told = smoked
    assert "phase 6" in told
    config = json.loads((out / "config.json").read_text())
    assert [recipe["seed"] for recipe in config["recipes"]] == [7, 8, 9, 10, 11, 12]
    assert config["measured_in_training"]["pairs"] > 100
    scores = [
        one.score for one in Verifier(out).support([("Rats froze less.", ["Rats froze less.", "People slept."])])[0]
    ]
    assert all(0 <= score <= 1 for score in scores)
    assert {path.name for path in work.iterdir()} == {f"support-{phase}-smoke.pt" for phase in (1, 2, 3, 4, 5, 6)}


def test_what_is_shipped_scores_as_what_was_trained(trained: Any, tmp_path: Path) -> None:
    run = Training(GROUPS, Recipe(layers=2, frozen=1, tokens=256, bits=4, rate=1e-3), tmp_path / "run.pt")
    run.run(lambda line: None)
    export(run, [run.recipe], tmp_path / "model")
    shipped = Verifier(tmp_path / "model")
    for group, wanted in zip(GROUPS, score(run.net, run.coder, GROUPS), strict=True):
        assert shipped.logits([(group.passage, group.claims)])[0] == pytest.approx(wanted, abs=0.05)


def test_a_smoke_training_of_the_judge_makes_weights_that_it_loads(tmp_path: Path) -> None:
    out = tmp_path / "judge"
    data = pairs_folder(tmp_path / "data")
    result = CliRunner().invoke(app, ["judge", "--data", str(data), "--out", str(out), "--smoke"])
    assert result.exit_code == 0, result.output
    opinion = TrainedJudge(out).judge("Rats froze less.", ["Rats froze less.", "People slept."])
    assert opinion.supported in {True, False}
    assert TrainedJudge(out).judge("Rats froze less.", []).supported is False


@pytest.mark.parametrize("command", ["support", "judge"])
def test_a_folder_without_pairs_is_one_clear_line(command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [command, "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--smoke"])
    assert result.exit_code == 2
    assert "holds no train/*.jsonl" in result.output
    assert not (tmp_path / "out").exists()


def test_other_weights_of_the_judge_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"config\.json"):
        TrainedJudge(tmp_path)
