"""Trains the support verifier: SmolLM2's lower layers with one linear head over the last token of each claim.

A run writes a checkpoint every few minutes and goes on from it when it is started again with the same recipe and data.
"""

import hashlib
import json
import math
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.training import support_net as nets
from evals.training.support_data import Group
from evals.training.support_packing import FINE, rounded
from evals.training.support_rows import Batch, mixed, rows
from server.verify.layout import batches

Say = Callable[[str], Any]
RECENT = 100  # steps over which the loss that is told is a mean
OURS = "own"
ROUNDED = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a run is made with.

    `floor` is the share of the learning rate that is left at its end; with 4 `bits` it learns with rounded weights.
    """

    layers: int = 20
    frozen: int = 6
    epochs: float = 1.0
    tokens: int = 4096
    rate: float = 1e-4
    head_rate: float = 1e-3
    warm_up: float = 0.05
    floor: float = 0.0
    decay: float = 0.01
    dropout: float = 0.1
    bits: int = 16
    seed: int = 7


class Masters:
    """AdamW over 32-bit copies of 16-bit weights: small steps are not lost to rounding."""

    def __init__(self, net: Any, recipe: Recipe) -> None:
        import torch

        self._rounds, self._rounded = recipe.bits == ROUNDED, rounded
        if self._rounds:
            round_still(net)
        self.live = [p for p in net.parameters() if p.requires_grad]
        self._matrices = {id(p) for p in net.body.layers.parameters() if p.ndim == 2}
        self.copies = [p.detach().float().clone() for p in self.live]
        head = {id(p) for part in (net.head, net.offset) for p in part.parameters()}
        both = list(zip(self.live, self.copies, strict=True))
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [copy for live, copy in both if id(live) not in head], "lr": recipe.rate},
                {"params": [copy for live, copy in both if id(live) in head], "lr": recipe.head_rate},
            ],
            weight_decay=recipe.decay,
            fused=True,
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.show()

    def step(self, share: float) -> None:
        """One step at a share of the learning rates, with the gradient cut to norm 1."""
        import torch

        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * share
        for live, copy in zip(self.live, self.copies, strict=True):
            copy.grad = None if live.grad is None else live.grad.float()
            live.grad = None
        torch.nn.utils.clip_grad_norm_(self.copies, 1.0)
        self.optimizer.step()
        self.show()

    def show(self) -> None:
        """The network's weights become those of the copies, rounded where it learns so."""
        import torch

        with torch.no_grad():
            for live, copy in zip(self.live, self.copies, strict=True):
                live.copy_(self._rounded(copy) if self._rounds and id(live) in self._matrices else copy)

    def compile(self) -> None:
        """Rounds faster after a slow first time."""
        import torch

        self._rounded = torch.compile(rounded)

    def take(self, copies: Sequence[Any]) -> None:
        """Begin with exact weights: all of this very run's."""
        for copy, kept in zip(self.copies, copies, strict=True):
            copy.copy_(kept)
        self.show()

    def take_body(self, copies: Sequence[Any]) -> None:
        """Begin with the exact weights of an earlier run's matrices, of which the network shows rounded ones."""
        for live, copy, kept in zip(self.live, self.copies, copies, strict=True):
            if id(live) in self._matrices:
                copy.copy_(kept)
        self.show()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"copies": self.copies, "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.take(state["copies"])


def round_still(net: Any) -> None:
    """The embedding and the layers that do not learn, rounded once and for all."""
    import torch

    with torch.no_grad():
        for weights in net.body.parameters():
            if weights.ndim == 2 and not weights.requires_grad:
                weights.copy_(rounded(weights, FINE))


def device() -> str:
    """A GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def order_of(sizes: Sequence[int], recipe: Recipe) -> list[list[int]]:
    """Every batch of the whole run, in order; a last, partial epoch ends early."""
    shuffle = random.Random(recipe.seed)
    epochs = [mixed(sizes, recipe.tokens, shuffle) for _ in range(math.ceil(recipe.epochs))]
    found = [places for epoch in epochs for places in epoch]
    return found[: max(1, round(len(epochs[0]) * recipe.epochs))]


def fingerprint(groups: Sequence[Group], recipe: Recipe) -> str:
    """16 hex digits over recipe and data: a checkpoint of another run is not gone on from."""
    digest = hashlib.sha256(json.dumps(asdict(recipe)).encode())
    for group in groups:
        digest.update(repr(group).encode())
    return digest.hexdigest()[:16]


def falling(step: int, warm: int, steps: int, floor: float) -> float:
    """The share of the learning rate: up over the warm-up, then in a straight line to `floor`."""
    return min((step + 1) / warm, floor + (1 - floor) * (steps - step) / max(1, steps - warm))


def take(net: Any, weights: dict[str, Any]) -> None:
    """Weights of an earlier run into the network; the data sets' offsets start anew, since the sets may differ."""
    missing = net.load_state_dict({k: v for k, v in weights.items() if not k.startswith("offset.")}, strict=False)
    if missing.unexpected_keys or set(missing.missing_keys) - {"offset.weight"}:
        raise ValueError(f"weights of another network: {missing}")


class Training:
    """One run over the groups, from `checkpoint` where that is of this very run, else from SmolLM2 or from `after`."""

    def __init__(self, groups: Sequence[Group], recipe: Recipe, checkpoint: Path, after: Path | None = None) -> None:
        import torch

        torch.manual_seed(recipe.seed)
        self.groups, self.recipe, self.path = groups, recipe, checkpoint
        self.coder, self._device = nets.coder(), device()
        self._rows = rows(groups, self.coder)
        self.sources = {OURS: 0}
        for group in groups:
            self.sources.setdefault(group.source, len(self.sources))
        self.net = nets.network(recipe.layers, recipe.frozen, len(self.sources), recipe.dropout).to(self._device)
        before = torch.load(after, map_location=self._device) if after else {}
        if before:
            take(self.net, before["net"])
        self._masters, self._mark = Masters(self.net, recipe), fingerprint(groups, recipe)
        if before:
            self._masters.take_body(before["copies"])
        self.order = order_of([len(row.ids) for row in self._rows], recipe)
        self.start = self._restored()

    def _restored(self) -> int:
        import torch

        state = torch.load(self.path, map_location=self._device) if self.path.exists() else {}
        if state.get("mark") != self._mark:
            return 0
        self.net.load_state_dict(state["net"])
        self._masters.restore(state)
        return int(state["step"])

    def _save(self, step: int) -> None:
        import torch

        beside = self.path.with_suffix(".part")
        state = {"mark": self._mark, "step": step, "net": self.net.state_dict(), "sources": self.sources}
        torch.save({**state, **self._masters.state(), "recipe": asdict(self.recipe)}, beside)
        os.replace(beside, self.path)

    def _step(self, step: int, warm: int) -> tuple[float, int]:
        """(loss, tokens) of one step."""
        import torch

        places = self.order[step]
        batch = Batch.of([self._rows[place] for place in places], self._device)
        some = [self.groups[place] for place in places]
        source = torch.tensor([self.sources[one.source] for one in some for _ in one.claims], device=self._device)
        wanted = torch.tensor([float(x) for one in some for x in one.supported], device=self._device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(self.net(*batch.inputs(), source), wanted)
        loss.backward()  # type: ignore[no-untyped-call]
        self._masters.step(falling(step, warm, len(self.order), self.recipe.floor))
        return float(loss.detach()), int(batch.ids.numel())

    def exact(self) -> Iterator[tuple[str, Any, bool]]:
        """(name, weights, whether they learnt) of all parameters, in 32 bits where they learnt."""
        copies = {id(live): copy for live, copy in zip(self._masters.live, self._masters.copies, strict=True)}
        for name, weights in self.net.named_parameters():
            yield name, copies.get(id(weights), weights).detach(), id(weights) in copies

    def compile(self) -> None:
        """Faster steps after a slow first one, where the machine has a C++ compiler; the results are the same."""
        import torch

        if shutil.which("g++"):
            for layer in self.net.body.layers:
                layer.forward = torch.compile(layer.forward, dynamic=True)
            self._masters.compile()

    def run(self, say: Say = print, every: float = 300.0, told: float = 60.0) -> None:
        """All steps that are left; a checkpoint every `every` seconds and at the end, a line every `told` seconds."""
        warm = max(1, int(self.recipe.warm_up * len(self.order)))
        began = last_save = last_line = time.monotonic()
        losses: list[float] = []
        seen = 0
        self.net.train()
        for step in range(self.start, len(self.order)):
            loss, tokens = self._step(step, warm)
            losses, seen = [*losses[-RECENT + 1 :], loss], seen + tokens
            now, last = time.monotonic(), step + 1 == len(self.order)
            if last or now - last_line > told:
                mean = sum(losses) / len(losses)
                speed = seen / (now - began)
                say(f"step {step + 1} of {len(self.order)}: loss {mean:.3f}, {speed:.0f} tokens/s, {now - began:.0f} s")
                last_line = now
            if last or now - last_save > every:
                self._save(step + 1)
                last_save = now
        self.net.eval()


def score(net: Any, coder: Any, groups: Sequence[Group], tokens: int = 4096) -> list[NDArray[np.float64]]:
    """Logits of every claim, group by group."""
    import torch

    laid = rows(groups, coder)
    found: list[NDArray[np.float64]] = [np.zeros(0)] * len(laid)
    net.eval()
    for places in batches([len(row.ids) for row in laid], tokens):
        batch = Batch.of([laid[place] for place in places], next(net.parameters()).device.type)
        with torch.inference_mode():
            logits = net(*batch.inputs()).double().cpu().numpy()
        start = 0
        for place in places:
            size = len(laid[place].ends)
            found[place], start = logits[start : start + size], start + size
    return found
