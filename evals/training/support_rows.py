"""Pairs as token ids in rows and batches: what one step of the support verifier's training reads."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.training.support_data import Group
from evals.training.support_layout import AFTER, BEFORE, BETWEEN, CLAIM, Row, lay_out

PASSAGE = 640  # tokens of a passage that are read in training
JITTER = 24.0  # tokens by which like lengths are mixed


def rows(groups: Sequence[Group], coder: Any, passage: int = PASSAGE, claim: int = CLAIM) -> list[Row]:
    """The groups as token ids; `coder` is SmolLM2's tokenizer. A passage over the limit is cut at its end."""
    if not groups:
        return []
    passages = coder([BEFORE + group.passage for group in groups])["input_ids"]
    claims = iter(coder([BETWEEN + text for group in groups for text in group.claims])["input_ids"])
    after = coder(AFTER)["input_ids"]
    return [
        lay_out(ids[:passage], [next(claims)[:claim] + after for _ in group.claims])
        for ids, group in zip(passages, groups, strict=True)
    ]


def batches(sizes: Sequence[int], tokens: int, shuffle: random.Random | None) -> list[list[int]]:
    """Places in batches of like length, each of at most `tokens` with padding, or of a single row."""
    mixed = [size + (shuffle.random() * JITTER if shuffle else 0.0) for size in sizes]
    found: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(sizes)), key=mixed.__getitem__):
        longest = max(longest, sizes[place])
        if not found or longest * (len(found[-1]) + 1) > tokens:
            found.append([])
            longest = sizes[place]
        found[-1].append(place)
    if shuffle:
        shuffle.shuffle(found)
    return found


def stack(some: Sequence[Row]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(ids, positions, segments), each of shape (rows, tokens); padding has segment -1."""
    shape = (len(some), max(len(row.ids) for row in some))
    ids, positions, segments = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
    for place, row in enumerate(some):
        size = len(row.ids)
        ids[place, :size], positions[place, :size], segments[place, :size] = row.ids, row.positions, row.segments
    return ids, positions, segments


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

        which = [place for place, row in enumerate(some) for _ in row.ends]
        ends = [end for row in some for end in row.ends]
        return cls(*(torch.tensor(values, device=device) for values in (*stack(some), which, ends)))

    def inputs(self) -> tuple[Any, ...]:
        """In the order in which the network takes them."""
        return self.ids, self.positions, self.segments, self.which, self.ends
