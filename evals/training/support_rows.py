"""Pairs as token ids in rows and batches: what one step of the support verifier's training reads."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evals.training.support_data import Group
from server.verify.layout import AFTER, BEFORE, BETWEEN, CLAIM, Row, batches, ends_of, lay_out, passages_of, stack

PASSAGE = 640  # tokens of a passage that are read in training
JITTER = 24.0  # tokens by which like lengths are mixed


def rows(groups: Sequence[Group], coder: Any, passage: int = PASSAGE, claim: int = CLAIM) -> list[Row]:
    """The groups as token ids; `coder` is SmolLM2's tokenizer. A passage over the limit is cut at its end."""
    if not groups:
        return []
    parts = [[BEFORE + part for part in passages_of(group.passage)] for group in groups]
    passages = iter(coder([part for some in parts for part in some])["input_ids"])
    claims = iter(coder([BETWEEN + text for group in groups for text in group.claims])["input_ids"])
    after = coder(AFTER)["input_ids"]
    return [
        lay_out([next(passages)[:passage] for _ in some], [next(claims)[:claim] + after for _ in group.claims])
        for some, group in zip(parts, groups, strict=True)
    ]


def mixed(sizes: Sequence[int], tokens: int, shuffle: random.Random) -> list[list[int]]:
    """Places in batches of nearly like length, in an order of chance."""
    lengths = [size + shuffle.random() * JITTER for size in sizes]
    found = batches(sizes, tokens, sorted(range(len(sizes)), key=lengths.__getitem__))
    shuffle.shuffle(found)
    return found


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one step: ids, positions, segments (rows, tokens); which row and token each claim ends at (claims)."""

    ids: Any
    positions: Any
    segments: Any
    which: Any
    ends: Any

    @classmethod
    def of(cls, some: Sequence[Row], device: str) -> "Batch":
        """The rows on a device."""
        import torch

        return cls(*(torch.tensor(values, device=device) for values in (*stack(some), *ends_of(some))))

    def inputs(self) -> tuple[Any, ...]:
        """In the order in which the network takes them."""
        return self.ids, self.positions, self.segments, self.which, self.ends
